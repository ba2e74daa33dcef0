# SPDX-License-Identifier: MIT
"""test.py MODEL DRAW: what the module does with examples/models/fashion_mnist.safetensors; DRAW is the example in C."""

import os
import signal
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import consistency

path, program = sys.argv[1:]
model = consistency.load_model(path)


class Drawing(unittest.TestCase):
    def test_a_model_says_what_it_is(self):
        self.assertEqual(model.shape, (28, 28, 1))
        self.assertEqual(model.condition_size, 0)
        self.assertFalse(model.denoiser)
        self.assertEqual(consistency.__version__, consistency._library.consistency_version().decode())

    def test_an_image_has_the_bytes_of_the_example_in_c(self):
        image = model.session().draw(seed=9)
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "c.pgm")
            subprocess.run([program, path, out, "9"], check=True, stdout=subprocess.DEVNULL)
            with open(out, "rb") as file:
                pixels = np.frombuffer(file.read()[-28 * 28:], dtype=np.uint8)
        mine = np.clip(np.rint(127.5 * (image.astype(np.float64) + 1)), 0, 255).astype(np.uint8)
        np.testing.assert_array_equal(mine.ravel(), pixels)
        self.assertGreater(len(np.unique(pixels)), 30)

    def test_a_sample_is_the_same_in_any_batch_on_any_threads_and_from_its_noise(self):
        whole = model.session(batch=5, threads=2).draw(5, seed=3)
        np.testing.assert_array_equal(whole, model.session(batch=2).draw(5, seed=3))
        self.assertFalse(np.array_equal(whole[0], whole[1]))
        noise = np.random.default_rng(0).standard_normal((3, 28, 28, 1))  # float64, which is converted
        session = model.session(batch=3)
        drawn = session.draw(3, noise=noise)
        turned = np.asfortranarray(noise.astype(np.float32))  # not contiguous as the library wants it
        np.testing.assert_array_equal(drawn, session.draw(3, noise=turned))
        np.testing.assert_array_equal(drawn[:1], model.session().draw(noise=noise[:1]))

    def test_it_fills_the_array_that_it_is_given(self):
        session = model.session(batch=2)
        out = np.zeros((2, 28, 28, 1), np.float32)
        self.assertIs(session.draw(2, seed=3, out=out), out)
        np.testing.assert_array_equal(out, session.draw(2, seed=3))
        with self.assertRaisesRegex(TypeError, "C-contiguous numpy.ndarray of float32"):
            session.draw(2, out=np.zeros((2, 28, 28, 1)))
        with self.assertRaisesRegex(TypeError, "C-contiguous"):
            session.draw(2, out=np.zeros((4, 28, 28, 1), np.float32)[::2])
        with self.assertRaisesRegex(ValueError, r"found the shape \(1, 28, 28, 1\), expected \(2, 28, 28, 1\)"):
            session.draw(2, out=out[:1])

    def test_errors_are_exceptions_with_the_text_of_the_library(self):
        with self.assertRaisesRegex(consistency.Error, "nowhere.safetensors") as caught:
            consistency.load_model("nowhere.safetensors")
        self.assertEqual(caught.exception.status, "CONSISTENCY_IO")
        with self.assertRaisesRegex(consistency.Error, "times") as caught:
            model.session(times=[0.5, 0.8])
        self.assertEqual(caught.exception.status, "CONSISTENCY_CONFIG")
        with self.assertRaisesRegex(consistency.Error, "batch"):
            model.session(batch=0)
        with self.assertRaisesRegex(ValueError, "seed: found -1, expected 0 to 18446744073709551615"):
            model.session().draw(seed=-1)
        with self.assertRaisesRegex(ValueError, r"noise: found the shape \(28, 28\)"):
            model.session().draw(noise=np.zeros((28, 28)))
        with self.assertRaisesRegex(consistency.Error, "finite") as caught:
            model.session().draw(noise=np.full((1, 28, 28, 1), np.nan))

    def test_progress_is_told_and_its_exceptions_end_a_draw(self):
        session = model.session(times=[5.0, 0.8])
        seen = []
        session.draw(2, progress=lambda *at: seen.append(at))
        self.assertEqual(seen, [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)])

        def stop(_first, evaluations):
            seen.append(evaluations)
            signal.raise_signal(signal.SIGINT)

        seen.clear()
        with self.assertRaises(KeyboardInterrupt):
            session.draw(2, progress=stop)
        self.assertEqual(seen, [1])
        self.assertEqual(session.draw(1).shape, (1, 28, 28, 1))  # and it goes on


class Training(unittest.TestCase):
    def test_a_model_is_trained_on_arrays_distilled_and_drawn_from(self):
        points = np.where(np.arange(64)[:, None] % 2 == 0, 0.7, -0.7) * np.ones((1, 2))  # (64, 2)

        def trained(fresh, steps, **settings):
            trainer = fresh.trainer(steps, learning_rate=2e-3, huber=0.03, **settings)
            losses = [trainer.step(points) for _ in range(steps)]
            self.assertTrue(np.isfinite(losses).all())
            with self.assertRaisesRegex(consistency.Error, "all that were planned are done"):
                trainer.step(points)
            return trainer.model()

        def near(model):
            x = model.session(batch=200).draw(200)
            return np.mean(np.hypot(*(np.abs(x).T - 0.7)) < 0.35)

        fresh = consistency.new_model((2,), channels=48)
        self.assertLess(near(fresh), 0.3)
        teacher = trained(consistency.new_model((2,), channels=48, denoiser=True), 2000)
        student = trained(fresh, 2000, teacher=teacher)
        self.assertGreater(near(teacher), 0.9)
        self.assertGreater(near(student), 0.8)
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "student.safetensors")
            student.save(file)
            np.testing.assert_array_equal(
                consistency.load_model(file).session().draw(seed=5), student.session().draw(seed=5))

    def test_images_with_conditions_are_trained_on(self):
        model = consistency.new_model((8, 8, 1), channels=8, blocks=1, attention=[4], condition_size=3)
        self.assertEqual((model.shape, model.condition_size), ((8, 8, 1), 3))
        trainer = model.trainer(4, threads=2)
        images, classes = np.zeros((6, 8, 8, 1)), np.eye(3)[np.arange(6) % 3]
        first = trainer.step(images, classes)
        self.assertEqual(first, model.trainer(4).step(images, classes))
        with self.assertRaisesRegex(ValueError, r"batch: found the shape \(6, 64\), expected \(6, 8, 8, 1\)"):
            trainer.step(np.zeros((6, 64)))
        with self.assertRaisesRegex(ValueError, "condition: found the shape"):
            trainer.step(images, classes[:, :2])
        with self.assertRaisesRegex(consistency.Error, "condition"):
            trainer.step(images)
        with self.assertRaisesRegex(consistency.Error, "finite") as caught:
            trainer.step(np.full((1, 8, 8, 1), np.nan), classes[:1])
        self.assertEqual(caught.exception.status, "CONSISTENCY_DATASET")
        with self.assertRaisesRegex(consistency.Error, "rank"):
            consistency.new_model((8, 8))


unittest.main(argv=sys.argv[:1])
