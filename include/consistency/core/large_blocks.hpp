// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <new>
#include <vector>

#include <consistency/core/memory_source.hpp>

namespace consistency {

/// Memory of the system in blocks: a free one is split where less is asked for, and free neighbours are one
/// block again, so that sizes that come one after the other share memory. Several hundred blocks at most:
/// what is searched is a list.
class LargeBlocks {
 public:
  /// What to ask the system for where `size` bytes are wanted and it has given `reserved`: a sixteenth of
  /// that at least, up to 64 MiB, or sizes that follow each other would not fit into what is free; from two
  /// large pages on, whole ones.
  static constexpr std::size_t asked(std::size_t size, std::size_t reserved) noexcept {
    constexpr auto page = MemorySource::large_page;
    auto const bytes = std::max(size, std::min(reserved / 16, std::size_t{64} << 20U));
    return bytes < 2 * page ? (bytes + 63) / 64 * 64 : (bytes + page - 1) / page * page;
  }

  /// Makes room in the list for two blocks more, which `add` needs. False: there is no memory for it.
  [[nodiscard]] bool reserve() noexcept try {
    if (blocks_.size() + 2 > blocks_.capacity()) blocks_.reserve(2 * blocks_.size() + 64);
    return true;
  } catch (std::bad_alloc const&) {
    return false;
  }

  /// The first `size` bytes of the smallest free block that has them; nullptr: there is none.
  void* take(std::size_t size) noexcept {
    auto best = blocks_.end();
    for (auto block = blocks_.begin(); block != blocks_.end(); ++block)
      if (block->free && block->size >= size && (best == blocks_.end() || block->size < best->size))
        best = block;
    if (best == blocks_.end()) return nullptr;
    auto const rest = best->size - size;
    auto* const memory = best->memory;
    *best = {.memory = memory, .size = size, .free = false, .first = best->first};
    if (rest > 0)
      blocks_.insert(best + 1, {.memory = memory + size, .size = rest, .free = true, .first = false});
    return memory;
  }

  /// A block of the system, of which the first `used` bytes are in use from now on.
  void add(void* memory, std::size_t size, std::size_t used) noexcept {
    auto* const start = static_cast<std::byte*>(memory);
    auto const block =
        blocks_.insert(at(start), {.memory = start, .size = used, .free = false, .first = true});
    if (size > used)
      blocks_.insert(block + 1, {.memory = start + used, .size = size - used, .free = true, .first = false});
  }

  /// `memory` is free again.
  void put(void* memory) noexcept {
    auto block = at(static_cast<std::byte*>(memory));
    block->free = true;
    if (auto const next = block + 1; next != blocks_.end() && next->free && !next->first) join(block, next);
    if (!block->first && (block - 1)->free) join(block - 1, block);
  }

  /// Forgets the blocks of the system of which nothing is in use, and calls to_system(memory, size) for each.
  template <class ToSystem>
  void give_back(ToSystem const& to_system) noexcept {
    auto const unused = [&](std::size_t i) {
      return blocks_[i].free && blocks_[i].first && (i + 1 == blocks_.size() || blocks_[i + 1].first);
    };
    std::size_t kept = 0;
    for (std::size_t i = 0; i < blocks_.size(); ++i)
      if (unused(i)) {
        to_system(static_cast<void*>(blocks_[i].memory), blocks_[i].size);
      } else {
        blocks_[kept++] = blocks_[i];
      }
    blocks_.resize(kept);
  }

 private:
  struct Block {
    std::byte* memory;
    std::size_t size;
    bool free, first;  ///< first: the system gave memory from here on
  };
  using Position = std::vector<Block>::iterator;

  Position at(std::byte* memory) noexcept {
    return std::lower_bound(blocks_.begin(), blocks_.end(), memory,
                            [](Block const& block, std::byte* of) { return block.memory < of; });
  }
  void join(Position one, Position next) noexcept {
    one->size += next->size;
    blocks_.erase(next);
  }

  std::vector<Block> blocks_;  ///< in the order of their memory
};

}  // namespace consistency
