// See node_sum.h. Shares are cut into parts of one size, for threads and for the first cache.
#include "core/node_sum.h"

#include <algorithm>

namespace deeptf {
namespace {

constexpr int64_t kLine = 16;  // numbers, of which arrays and shares start at a multiple
constexpr int64_t kPart = 1024;
constexpr int64_t kCyclesOfNumber = 2;  // memory is what takes time

int64_t round_up(int64_t number, int64_t step) { return (number + step - 1) / step * step; }

std::vector<int64_t> starts_of(const std::vector<int64_t>& sizes) {
  std::vector<int64_t> starts = {0};
  for (const int64_t size : sizes) starts.push_back(starts.back() + round_up(size, kLine));
  return starts;
}

// Bytes of the place where processes meet, in front of the numbers.
int64_t place_of(const Node& node) {
  constexpr int64_t kPage = 4096;
  return round_up(static_cast<int64_t>(Meeting::bytes(node.size())), kPage);
}

template <class Part, class Body>
void over(const std::vector<Part>& parts, const ParallelFor& parallel, const Body& body) {
  parallel(static_cast<int64_t>(parts.size()), kPart * kCyclesOfNumber,
           [&](int64_t begin, int64_t end) {
             for (int64_t k = begin; k < end; ++k) body(parts[k]);
           });
}

}  // namespace

template <class T>
NodeSum<T>::NodeSum(const Node& node, const std::vector<int64_t>& sizes, int64_t further)
    : node_(node),
      starts_(starts_of(sizes)),
      memory_(
          node.memory(static_cast<size_t>(place_of(node)) +
                      static_cast<size_t>((node.size() + further) * starts_.back()) * sizeof(T))),
      meeting_(memory_.get(), node) {
  const int64_t share = round_up((starts_.back() + node.size() - 1) / node.size(), kLine);
  for (int64_t process = 0; process < node.size(); ++process) {
    shares_.push_back(cut(sizes, share * process, share * (process + 1)));
  }
}

template <class T>
void NodeSum<T>::share(const std::vector<const T*>& arrays, const Finish& finish,
                       const ParallelFor& parallel) const {
  over_others(parallel, [&](int64_t, const Part& part) {
    std::copy_n(arrays[part.array] + part.begin, part.size, slot(node_.rank, part));
  });
  meeting_.meet();
  over(shares_[node_.rank], parallel, [&](const Part& part) {
    T sums[kPart];
    add(part, arrays[part.array] + part.begin, sums);
    finish(part.array, part.begin, part.size, sums);
  });
  meeting_.meet();
}

template <class T>
void NodeSum<T>::sum(const std::vector<const T*>& arrays, const std::vector<T*>& sums,
                     const ParallelFor& parallel) const {
  const auto give = [&](int64_t array, int64_t begin, int64_t size, const T* own) {
    std::copy_n(own, size, slot(node_.rank, {array, begin, size}));
    std::copy_n(own, size, sums[array] + begin);
  };
  share(arrays, give, parallel);
  over_others(parallel, [&](int64_t process, const Part& part) {
    std::copy_n(slot(process, part), part.size, sums[part.array] + part.begin);
  });
}

// The parts of arrays that lie between two places of a slot.
template <class T>
std::vector<typename NodeSum<T>::Part> NodeSum<T>::cut(const std::vector<int64_t>& sizes,
                                                       int64_t begin, int64_t end) const {
  std::vector<Part> parts;
  for (size_t array = 0; array < sizes.size(); ++array) {
    const int64_t last = std::min(sizes[array], end - starts_[array]);
    for (int64_t k = std::max<int64_t>(0, begin - starts_[array]); k < last; k += kPart) {
      parts.push_back({static_cast<int64_t>(array), k, std::min(kPart, last - k)});
    }
  }
  return parts;
}

template <class T>
T* NodeSum<T>::slot(int64_t process, const Part& part) const {
  T* numbers = reinterpret_cast<T*>(memory_.get() + place_of(node_));
  return numbers + process * starts_.back() + starts_[part.array] + part.begin;
}

// sums <- the numbers of all processes in a part of the own share; `own` are those of this one.
template <class T>
void NodeSum<T>::add(const Part& part, const T* own, T* sums) const {
  const auto term = [&](int64_t process) {
    return process == node_.rank ? own : slot(process, part);
  };
  const T *first = term(0), *second = term(1);
#pragma omp simd
  for (int64_t k = 0; k < part.size; ++k) sums[k] = first[k] + second[k];
  for (int64_t process = 2; process < node_.size(); ++process) {
    const T* next = term(process);
#pragma omp simd
    for (int64_t k = 0; k < part.size; ++k) sums[k] += next[k];
  }
}

template <class T>
template <class Body>
void NodeSum<T>::over_others(const ParallelFor& parallel, const Body& body) const {
  for (int64_t process = 0; process < node_.size(); ++process) {
    if (process == node_.rank) continue;
    over(shares_[process], parallel, [&](const Part& part) { body(process, part); });
  }
}

template class NodeSum<float>;
template class NodeSum<double>;

}  // namespace deeptf
