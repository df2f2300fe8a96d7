// See arena.h. For the address sanitizer only what is taken may be touched: there is a gap behind
// each piece.
#include "core/base/arena.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define DEEPTF_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DEEPTF_ADDRESS_SANITIZER
#endif
#endif
#if defined(DEEPTF_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(data, size) (static_cast<void>(data), static_cast<void>(size))
#define ASAN_UNPOISON_MEMORY_REGION(data, size) (static_cast<void>(data), static_cast<void>(size))
#endif

namespace deeptf {
namespace {

constexpr size_t kLeastBlock = size_t{1} << 20;  // bytes; pages that nobody touches cost nothing

}  // namespace

Arena& Arena::of_this_thread() {
  static thread_local Arena arena;
  return arena;
}

void* Arena::take(size_t bytes) {
  if (bytes > SIZE_MAX / 2) throw std::bad_alloc();
  const size_t size = (bytes / kAlignment + 1) * kAlignment;
  find_room(size);
  char* data = blocks_[top_.block].data.get() + top_.used;
  ASAN_UNPOISON_MEMORY_REGION(data, bytes);
  top_.used += size;
  ++top_.taken;
  return data;
}

void Arena::give_back(const Mark& before) {
  if (top_.taken != before.taken + 1) {
    std::fputs("deeptf: memory of a thread must be given back in the order of a stack\n", stderr);
    std::abort();
  }
  const size_t first = top_.block == before.block ? before.used : 0;
  ASAN_POISON_MEMORY_REGION(blocks_[top_.block].data.get() + first, top_.used - first);
  top_ = before;
}

size_t Arena::bytes() const {
  size_t bytes = 0;
  for (const Block& block : blocks_) bytes += block.size;
  return bytes;
}

// Moves the top to a block with so much room behind it. Where there is none, a new one takes the
// place of all that are empty, so that sizes which rise from call to call leave no blocks behind.
void Arena::find_room(size_t size) {
  const auto has_room = [&](size_t block) {
    return size <= blocks_[block].size - (block == top_.block ? top_.used : 0);
  };
  size_t block = top_.block;
  while (block < blocks_.size() && !has_room(block)) ++block;
  if (block == blocks_.size()) {
    block = top_.taken == 0 ? 0 : top_.block + 1;
    size_t empty = 0;
    for (size_t k = block; k < blocks_.size(); ++k) empty += blocks_[k].size;
    blocks_.resize(block);
    blocks_.push_back(new_block(std::max({size, empty, kLeastBlock})));
  }
  if (block != top_.block) top_ = {block, 0, top_.taken};
}

Arena::Block Arena::new_block(size_t size) {
  void* data = ::operator new(size, std::align_val_t{kAlignment});
  ASAN_POISON_MEMORY_REGION(data, size);
  return {std::unique_ptr<char, Free>(static_cast<char*>(data)), size};
}

void Arena::Free::operator()(char* data) const {
  ::operator delete(data, std::align_val_t{kAlignment});
}

}  // namespace deeptf
