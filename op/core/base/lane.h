// A short vector of numbers that the compiler keeps in one register (GCC and Clang vector types).
// Arithmetic on it is element by element; on a CPU with narrower registers it is split.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace deeptf {

#if defined(__AVX512F__)
constexpr int kLaneBytes = 64, kMaxBlock = 6;  // 4 x 6 sums in 32 registers
#elif defined(__AVX__)
constexpr int kLaneBytes = 32, kMaxBlock = 2;  // 4 x 2 sums in 16 registers
#else
constexpr int kLaneBytes = 16, kMaxBlock = 2;
#endif

template <class T>
struct LaneOf {
  typedef T type __attribute__((vector_size(kLaneBytes)));
};
template <class T>
using Lane = typename LaneOf<T>::type;

template <class T>
constexpr int64_t kLane = kLaneBytes / static_cast<int64_t>(sizeof(T));

// Calls body(n) with a constant for a number 1 <= n <= kMost known at run time.
template <int kMost, class Body>
inline void with_constant(int64_t n, const Body& body) {
  if (n == kMost) {
    body(std::integral_constant<int, kMost>());
  } else if constexpr (kMost > 1) {
    with_constant<kMost - 1>(n, body);
  }
}

constexpr int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

template <class T>
inline Lane<T> load(const T* from) {
  Lane<T> lane;
  std::memcpy(&lane, from, sizeof(lane));
  return lane;
}

template <class T>
inline void store(T* to, Lane<T> lane) {
  std::memcpy(to, &lane, sizeof(lane));
}

// The number in all places. (To add it to zeros is another operation: -0 becomes 0.)
template <class T>
inline Lane<T> broadcast(T number) {
  return number - Lane<T>{};
}

// Keeps a lane in a register: without it the compiler reads the same memory once per use.
template <class V>
inline void hold(V& lane) {
#if defined(__AVX512F__)
  asm("" : "+v"(lane));
#elif defined(__x86_64__)
  asm("" : "+x"(lane));
#else
  (void)lane;
#endif
}

// Element k of the result is element from[k] of `a` and `b`, written one after the other.
template <class T, size_t... from>
inline Lane<T> shuffle(const Lane<T>& a, const Lane<T>& b, std::index_sequence<from...>) {
#if defined(__clang__)
  return __builtin_shufflevector(a, b, static_cast<int>(from)...);
#else
  using Index = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;
  return __builtin_shuffle(a, b, Lane<Index>{Index(from)...});
#endif
}

// Exchanges the elements of `a` whose place has the bit kStep with those of `b` that have it not.
template <class T, int64_t kStep, size_t... k>
inline void exchange(Lane<T>& a, Lane<T>& b, std::index_sequence<k...>) {
  constexpr size_t count = kLane<T>, step = kStep;
  const Lane<T> low = shuffle<T>(a, b, std::index_sequence<(k & step ? k - step + count : k)...>());
  b = shuffle<T>(a, b, std::index_sequence<(k & step ? k + count : k + step)...>());
  a = low;
}

// Transposes a square of kLane lanes.
template <class T, int64_t kStep = kLane<T> / 2>
inline void transpose(Lane<T>* lanes) {
  for (int64_t k = 0; k < kLane<T>; ++k) {
    if (k & kStep) continue;
    exchange<T, kStep>(lanes[k], lanes[k + kStep], std::make_index_sequence<kLane<T>>());
  }
  if constexpr (kStep > 1) transpose<T, kStep / 2>(lanes);
}

// Element k of the result adds the halves of one segment: segments of `a` first, then those of `b`.
// A lane holds kLane / kSegment segments of kSegment elements each.
template <class T, int64_t kSegment, size_t... k>
inline Lane<T> add_halves(const Lane<T>& a, const Lane<T>& b, std::index_sequence<k...>) {
  constexpr int64_t half = kSegment / 2, count = kLane<T>;
  constexpr auto from = [](int64_t at) {
    const int64_t within = at % (count / 2), start = at < count / 2 ? 0 : count;
    return start + within / half * kSegment + within % half;
  };
#if defined(__clang__)
  return __builtin_shufflevector(a, b, from(k)...) +
         __builtin_shufflevector(a, b, (from(k) + half)...);
#else
  using Index = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;
  return __builtin_shuffle(a, b, Lane<Index>{Index(from(k))...}) +
         __builtin_shuffle(a, b, Lane<Index>{Index(from(k) + half)...});
#endif
}

// Element k of the result is the sum of the elements of lanes[k]; there are kLane lanes,
// overwritten.
template <class T, int64_t kSegment = kLane<T>>
inline Lane<T> sums_of(Lane<T>* lanes) {
  if constexpr (kSegment == 1) {
    return lanes[0];
  } else {
    for (int64_t k = 0; k < kSegment / 2; ++k) {
      lanes[k] = add_halves<T, kSegment>(lanes[2 * k], lanes[2 * k + 1],
                                         std::make_index_sequence<kLane<T>>());
    }
    return sums_of<T, kSegment / 2>(lanes);
  }
}

}  // namespace deeptf
