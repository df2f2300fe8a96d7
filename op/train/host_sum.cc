// See host_sum.h. Shares are cut into parts of one size, for threads and for the first cache.
#include "train/host_sum.h"

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
int64_t place_of(const Host& host) {
  constexpr int64_t kPage = 4096;
  return round_up(static_cast<int64_t>(Meeting::bytes(host.size())), kPage);
}

template <class Part, class Body>
void over(const std::vector<Part>& parts, const Context& context, const Body& body) {
  context.parallel(static_cast<int64_t>(parts.size()), kPart * kCyclesOfNumber,
                   [&](int64_t begin, int64_t end) {
                     for (int64_t k = begin; k < end; ++k) body(parts[k]);
                   });
}

}  // namespace

template <class T>
HostSum<T>::HostSum(const Host& host, const std::vector<int64_t>& sizes, int64_t further)
    : host_(host),
      starts_(starts_of(sizes)),
      memory_(
          host.memory(static_cast<size_t>(place_of(host)) +
                      static_cast<size_t>((host.size() + further) * starts_.back()) * sizeof(T))),
      meeting_(memory_.get(), host) {
  const int64_t share = round_up((starts_.back() + host.size() - 1) / host.size(), kLine);
  for (int64_t process = 0; process < host.size(); ++process) {
    shares_.push_back(cut(sizes, share * process, share * (process + 1)));
  }
}

template <class T>
void HostSum<T>::share(const std::vector<const T*>& arrays, const Finish& finish,
                       const Context& context) const {
  over_others(context, [&](int64_t, const Part& part) {
    std::copy_n(arrays[part.array] + part.begin, part.size, slot(host_.rank, part));
  });
  meeting_.meet();
  over(shares_[host_.rank], context, [&](const Part& part) {
    T sums[kPart];
    add(part, arrays[part.array] + part.begin, sums);
    finish(part.array, part.begin, part.size, sums);
  });
  meeting_.meet();
}

template <class T>
void HostSum<T>::sum(const std::vector<const T*>& arrays, const std::vector<T*>& sums,
                     const Context& context) const {
  const auto give = [&](int64_t array, int64_t begin, int64_t size, const T* own) {
    std::copy_n(own, size, slot(host_.rank, {array, begin, size}));
    std::copy_n(own, size, sums[array] + begin);
  };
  share(arrays, give, context);
  over_others(context, [&](int64_t process, const Part& part) {
    std::copy_n(slot(process, part), part.size, sums[part.array] + part.begin);
  });
}

// The parts of arrays that lie between two places of a slot.
template <class T>
std::vector<typename HostSum<T>::Part> HostSum<T>::cut(const std::vector<int64_t>& sizes,
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
T* HostSum<T>::slot(int64_t process, const Part& part) const {
  T* numbers = reinterpret_cast<T*>(memory_.get() + place_of(host_));
  return numbers + process * starts_.back() + starts_[part.array] + part.begin;
}

// sums <- the numbers of all processes in a part of the own share; `own` are those of this one.
template <class T>
void HostSum<T>::add(const Part& part, const T* own, T* sums) const {
  const auto term = [&](int64_t process) {
    return process == host_.rank ? own : slot(process, part);
  };
  const T *first = term(0), *second = term(1);
#pragma omp simd
  for (int64_t k = 0; k < part.size; ++k) sums[k] = first[k] + second[k];
  for (int64_t process = 2; process < host_.size(); ++process) {
    const T* next = term(process);
#pragma omp simd
    for (int64_t k = 0; k < part.size; ++k) sums[k] += next[k];
  }
}

template <class T>
template <class Body>
void HostSum<T>::over_others(const Context& context, const Body& body) const {
  for (int64_t process = 0; process < host_.size(); ++process) {
    if (process == host_.rank) continue;
    over(shares_[process], context, [&](const Part& part) { body(process, part); });
  }
}

template class HostSum<float>;
template class HostSum<double>;

}  // namespace deeptf
