#include "engine/cuda/transfers.h"

#include <cstring>

namespace deeptf::device {
namespace {

size_t aligned(size_t bytes) { return (bytes + 255) / 256 * 256; }

}  // namespace

int Uploads::add_bytes(const void* from, size_t bytes) {
  arrays_.push_back({from, bytes, bytes_});
  bytes_ += aligned(bytes);
  return static_cast<int>(arrays_.size()) - 1;
}

void Uploads::send(const Cuda& cuda) {
  char *device = device_.at_least(bytes_), *host = host_.at_least(bytes_);
  std::vector<const Array*> there;
  for (const Array& array : arrays_) {
    if (array.bytes == 0) continue;
    if (is_on_device(array.from)) {
      there.push_back(&array);
    } else {
      std::memcpy(host + array.offset, array.from, array.bytes);
    }
  }
  copy(cuda, host, bytes_, device);
  for (const Array* array : there) copy(cuda, array->from, array->bytes, device + array->offset);
}

void Downloads::add(void* to, int64_t numbers) {
  const size_t bytes = static_cast<size_t>(numbers) * 8;
  arrays_.push_back({to, bytes, bytes_, is_on_device(to)});
  bytes_ += aligned(bytes);
}

void Downloads::place(const ResultSizes& sizes, const deeptf_results& results) {
  sizes_ = sizes;
  arrays_.clear();
  bytes_ = 0;
  const int64_t types = sizes.num_types * sizes.num_types;
  add(nullptr, sizeof(StepOutcome) / 8);
  add(results.energy, sizes.num_frames);
  add(results.virial, 9 * sizes.num_frames);
  add(results.outside_count, types);
  add(results.outside_distance, types);
  add(results.force, 3 * sizes.num_all);
  add(results.atom_energy, sizes.num_energies);
  add(results.value, sizes.width * sizes.num_frames);
  add(results.atom_value, sizes.width * sizes.num_energies);
  add(results.atom_virial, results.atom_virial != nullptr ? 9 * sizes.num_all : 0);
  fetched_ = arrays_[0].bytes;
  for (const Array& array : arrays_) {
    if (array.to != nullptr && !array.on_device) fetched_ = array.offset + array.bytes;
  }
  device_.at_least(bytes_);
  host_.at_least(fetched_);
}

void Downloads::fetch(const Cuda& cuda) {
  const char* from = device_.at_least(0);
  copy(cuda, from, fetched_, host_.at_least(0));
  for (const Array& array : arrays_) {
    if (array.on_device) copy(cuda, from + array.offset, array.bytes, array.to);
  }
}

StepOutcome Downloads::received() {
  StepOutcome outcome;
  std::memcpy(&outcome, host_.at_least(0), sizeof outcome);
  return outcome;
}

void Downloads::give() {
  for (const Array& array : arrays_) {
    if (array.to == nullptr || array.on_device || array.bytes == 0) continue;
    std::memcpy(array.to, host_.at_least(0) + array.offset, array.bytes);
  }
}

}  // namespace deeptf::device
