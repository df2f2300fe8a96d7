// Arrays of a caller on their way to a device and back. They may lie on the device already; those
// of the host travel together, through memory that is fast to copy from.
#pragma once

#include <vector>

#include "core/cuda/neighbors.h"
#include "engine/cuda/runtime.h"
#include "engine/deeptf.h"

namespace deeptf::device {

class Uploads {
 public:
  void clear() { arrays_.clear(), bytes_ = 0; }

  // Adds an array that stays as it is until the end of the step; returns its number.
  template <class T>
  int add(const T* from, int64_t count) {
    return add_bytes(from, static_cast<size_t>(count) * sizeof(T));
  }

  // Queues the copies. Nothing that was queued before may still use them.
  void send(const Cuda& cuda);

  // Where an array lies on the device, once all were sent.
  template <class T>
  const T* at(int number) {
    return reinterpret_cast<const T*>(device_.at_least(0) + arrays_[number].offset);
  }
  const void* begin() { return device_.at_least(0); }

 private:
  struct Array {
    const void* from;
    size_t bytes, offset;
  };

  int add_bytes(const void* from, size_t bytes);

  std::vector<Array> arrays_;
  size_t bytes_ = 0;
  Memory device_{Memory::Place::device}, host_{Memory::Place::host};
};

// How many numbers there are.
struct ResultSizes {
  int64_t num_frames, num_energies, num_all, num_types;
  int64_t width;  // of another property than energies; or 0
};

// What the host must know of a step before it uses the results.
struct StepOutcome {
  SearchOutcome search;
  int64_t num_triples;
  unsigned long long refused;  // a Refusal (values.h)

  // Whether nothing is wrong, and there was room for all.
  bool is_whole(int64_t pairs, int64_t triples) const {
    return search.wrong == 0 && refused == 0 && search.num_pairs <= pairs && num_triples <= triples;
  }
};

// The results on the device; all have their place, wanted or not, but for the virials of atoms.
class Downloads {
 public:
  void place(const ResultSizes& sizes, const deeptf_results& results);

  StepOutcome* outcome() { return at<StepOutcome>(0); }
  double* energy() { return at<double>(1); }            // [F]
  double* virial() { return at<double>(2); }            // [F, 9]
  int64_t* outside_count() { return at<int64_t>(3); }   // [T, T]
  double* outside_distance() { return at<double>(4); }  // [T, T]
  double* force() { return at<double>(5); }             // [num_all, 3]
  double* atom_energy() { return at<double>(6); }       // [num_energies]
  double* value() { return at<double>(7); }             // [F, width]
  double* atom_value() { return at<double>(8); }        // [num_energies, width]
  double* atom_virial() { return at<double>(9); }       // [num_all, 9]
  // All of them together.
  char* begin() { return device_.at_least(0); }
  size_t bytes() const { return bytes_; }
  const ResultSizes& sizes() const { return sizes_; }

  // Queues the copies to the host and to arrays on the device.
  void fetch(const Cuda& cuda);
  // What fetch() has brought, when the stream has come there.
  StepOutcome received();
  // Writes the arrays of the host.
  void give();

 private:
  struct Array {
    void* to;
    size_t bytes, offset;
    bool on_device;  // `to`
  };

  template <class T>
  T* at(int number) {
    return reinterpret_cast<T*>(device_.at_least(0) + arrays_[number].offset);
  }
  void add(void* to, int64_t numbers);

  ResultSizes sizes_{};
  std::vector<Array> arrays_;
  size_t bytes_ = 0, fetched_ = 0;
  Memory device_{Memory::Place::device}, host_{Memory::Place::host};
};

}  // namespace deeptf::device
