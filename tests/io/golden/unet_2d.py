# SPDX-License-Identifier: MIT
"""Writes a small UNet2DModel of diffusers with random weights, and what diffusers computes with them.

usage: unet_2d.py FAMILY DIR; needs PyTorch, diffusers and safetensors
FAMILY: residual_block, the family of OpenAI's consistency_models; convolution, diffusers' own defaults; ddpm, as Ho et al.
DIR gets config.json and diffusion_pytorch_model.safetensors, of ddpm diffusion_pytorch_model.bin with the names of
diffusers' first versions; openai.pt, but not for ddpm, the same weights as OpenAI's consistency_models has them in a state
dict (as diffusers' own converter says, backwards); and golden.safetensors with, in float64, x, time, labels and F, the
network's output.
"""
import os
import sys

import torch
from diffusers import UNet2DModel
from safetensors.torch import save_file

family, folder = sys.argv[1:]
torch.manual_seed(0)
settings = dict(sample_size=8, layers_per_block=1, num_class_embeds=5, block_out_channels=[8, 16], norm_num_groups=2)
if family == "residual_block":
    settings |= dict(attention_head_dim=8, down_block_types=["ResnetDownsampleBlock2D", "AttnDownBlock2D"],
                     up_block_types=["AttnUpBlock2D", "ResnetUpsampleBlock2D"], resnet_time_scale_shift="scale_shift",
                     attn_norm_num_groups=2, upsample_type="resnet", downsample_type="resnet")
else:
    settings |= dict(down_block_types=["AttnDownBlock2D", "DownBlock2D"], up_block_types=["UpBlock2D", "AttnUpBlock2D"],
                     attention_head_dim=8)
if family == "ddpm":
    settings |= dict(num_class_embeds=None, block_out_channels=[8, 8], attention_head_dim=None, add_attention=False,
                     downsample_padding=0, flip_sin_to_cos=False, freq_shift=1, norm_eps=1e-6)
net = UNet2DModel(**settings).eval()
for parameter in net.parameters():
    torch.nn.init.normal_(parameter, std={1: 0.5, 2: 0.4, 4: 0.2}[parameter.dim()])
net.save_pretrained(folder)
x, labels = torch.randn(3, 3, 8, 8), torch.tensor([3, 0, 4])
time = torch.tensor([-20.0, 0.5, 4.0], dtype=torch.float64)  # small: times that diffusers rounds turn fast angles

theirs = {name: value.clone() for name, value in net.state_dict().items()}
openai = {}
net.double()
with torch.no_grad():
    F = net(x.double(), time, **({} if family == "ddpm" else {"class_labels": labels})).sample
save_file({"x": x.double(), "time": time, "labels": torch.eye(5, dtype=torch.float64)[labels], "F": F.contiguous()},
          f"{folder}/golden.safetensors")
if family == "ddpm":
    os.remove(f"{folder}/diffusion_pytorch_model.safetensors")
    for new, old in [("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")]:
        theirs = {name.replace(f".{new}.", f".{old}."): value for name, value in theirs.items()}
    torch.save(theirs, f"{folder}/diffusion_pytorch_model.bin")
    sys.exit()


def move(ours, to, parts):
    for a, b in parts:
        for kind in ("weight", "bias"):
            if f"{ours}.{a}.{kind}" in theirs:
                openai[f"{to}.{b}.{kind}"] = theirs[f"{ours}.{a}.{kind}"]


def block(ours, to):
    move(ours, to, [("norm1", "in_layers.0"), ("conv1", "in_layers.2"), ("time_emb_proj", "emb_layers.1"),
                    ("norm2", "out_layers.0"), ("conv2", "out_layers.3"), ("conv_shortcut", "skip_connection")])


def attention(ours, to):
    move(ours, to, [("group_norm", "norm")])
    for kind in ("weight", "bias"):
        qkv = torch.cat([theirs[f"{ours}.to_{n}.{kind}"] for n in "qkv"])
        out = theirs[f"{ours}.to_out.0.{kind}"]
        openai[f"{to}.qkv.{kind}"] = qkv[..., None, None] if family == "weight" else qkv
        openai[f"{to}.proj_out.{kind}"] = out[..., None, None] if family == "weight" else out


for a, b in [("time_embedding.linear_1", "time_embed.0"), ("time_embedding.linear_2", "time_embed.2"),
             ("conv_in", "input_blocks.0.0"), ("conv_norm_out", "out.0"), ("conv_out", "out.2")]:
    for kind in ("weight", "bias"):
        openai[f"{b}.{kind}"] = theirs[f"{a}.{kind}"]
openai["label_emb.weight"] = theirs["class_embedding.weight"]
attending = 0 if family == "convolution" else 1  # the level with attention
for level in range(2):
    block(f"down_blocks.{level}.resnets.0", f"input_blocks.{1 + 2 * level}.0")
    for i in range(2):
        block(f"up_blocks.{1 - level}.resnets.{i}", f"output_blocks.{2 - 2 * level + i}.0")
        if level == attending:
            attention(f"up_blocks.{1 - level}.attentions.{i}", f"output_blocks.{2 - 2 * level + i}.1")
attention(f"down_blocks.{attending}.attentions.0", f"input_blocks.{1 + 2 * attending}.1")
block("mid_block.resnets.0", "middle_block.0")
attention("mid_block.attentions.0", "middle_block.1")
block("mid_block.resnets.1", "middle_block.2")
if family == "convolution":
    move("down_blocks.0.downsamplers.0", "input_blocks.2.0", [("conv", "op")])
    move("up_blocks.0.upsamplers.0", "output_blocks.1.1", [("conv", "conv")])
else:
    block("down_blocks.0.downsamplers.0", "input_blocks.2.0")
    block("up_blocks.0.upsamplers.0", "output_blocks.1.2")
assert len(openai) == len(theirs) - 4 * 4, (len(openai), len(theirs))
torch.save(openai, f"{folder}/openai.pt")
