// What a kernel may use beside its arguments: threads, given as a callable, so that the core knows
// neither TensorFlow nor a thread library. Rule for every kernel: the bits of a result do not
// depend on `threads`.
#pragma once

#include <cstdint>
#include <functional>

namespace deeptf {

using Range = std::function<void(int64_t begin, int64_t end)>;

struct Context {
  int threads = 1;
  // Calls range on pieces that cover [0, count); `cycles` is the rough cost of one unit.
  std::function<void(int64_t count, int64_t cycles, const Range& range)> split;

  void parallel(int64_t count, int64_t cycles, const Range& range) const {
    if (count <= 0) return;
    if (split && threads > 1) {
      split(count, cycles, range);
    } else {
      range(0, count);
    }
  }
};

}  // namespace deeptf
