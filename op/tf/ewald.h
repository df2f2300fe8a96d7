// What the bindings of Ewald and EwaldSiteVirial do on any device; see core/long_range/ewald.h.
#pragma once

#include <string>

#include "core/base/scratch.h"
#include "core/long_range/ewald.h"
#include "tf/binding.h"

namespace deeptf {

// `beta` and `spacing` are float32 as in other programs, so that they mean the same.
struct EwaldAttributes {
  explicit EwaldAttributes(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("beta", &beta));
    OP_REQUIRES_OK(context, context->GetAttr("spacing", &spacing));
  }
  float beta, spacing;
};

struct EwaldFrames {
  int64_t num_sites, num_frames;
  const double *coord, *charge, *cell;
  const int32_t* frame_row;

  int64_t count(int64_t frame) const { return frame_row[frame + 1] - frame_row[frame]; }
  Charges charges(int64_t frame) const {
    return {count(frame), coord + int64_t{3} * frame_row[frame], charge + frame_row[frame]};
  }
};

// Inputs coord, charge, cell and frame_row; cell and frame_row lie on the host.
inline EwaldFrames ewald_frames(OpKernelContext* context) {
  const Tensor& coord = input(context, 0, "coord", {-1, 3});
  const Tensor& cell = input(context, 2, "cell", {-1, 3, 3});
  const EwaldFrames frames{
      coord.dim_size(0),   cell.dim_size(0),
      data<double>(coord), data<double>(input(context, 1, "charge", {coord.dim_size(0)})),
      data<double>(cell),  data<int32_t>(input(context, 3, "frame_row", {cell.dim_size(0) + 1})),
  };
  bool right = frames.frame_row[0] == 0 && frames.frame_row[frames.num_frames] == frames.num_sites;
  for (int64_t frame = 0; frame < frames.num_frames; ++frame) {
    right = right && frames.count(frame) >= 0;
  }
  if (!right) {
    throw Error("`frame_row` must start at 0, not decrease and end at the number of sites " +
                std::to_string(frames.num_sites));
  }
  return frames;
}

// Calls body(frame, grid); errors name the frame.
template <class Body>
void over_frames(const EwaldFrames& frames, const EwaldAttributes& attributes, const Body& body) {
  for (int64_t frame = 0; frame < frames.num_frames; ++frame) {
    try {
      body(frame, ewald_grid(frames.cell + 9 * frame, attributes.beta, attributes.spacing));
    } catch (const Error& error) {
      throw Error("frame " + std::to_string(frame) + ": " + error.what());
    }
  }
}

// Memory where the kernels are; that of a GPU is in tf/cuda/ewald.cc.
inline Scratch<double> room(const Context&, int64_t count) { return Scratch<double>(count); }

template <class Device>
void ewald_of_frames(OpKernelContext* context, const EwaldAttributes& attributes) {
  const EwaldFrames frames = ewald_frames(context);
  const auto kernel = Device::of(context);
  double* energy = output<double>(context, 0, {frames.num_frames});
  double* force = output<double>(context, 1, {frames.num_sites, 3});
  double* virial = output<double>(context, 2, {frames.num_frames, 9});
  double* potential = output<double>(context, 3, {frames.num_sites});
  over_frames(frames, attributes, [&](int64_t frame, const EwaldGrid& grid) {
    auto factor = room(kernel, grid.size());
    const Charges charges = frames.charges(frame);
    structure_factor(grid, charges, kernel, factor.data());
    ewald_energy(grid, factor.data(), kernel, energy + frame, virial + 9 * frame);
    ewald_forces(grid, charges, factor.data(), kernel, force + int64_t{3} * frames.frame_row[frame],
                 potential + frames.frame_row[frame]);
  });
}

template <class Device>
void ewald_virial_of_sites(OpKernelContext* context, const EwaldAttributes& attributes) {
  const EwaldFrames frames = ewald_frames(context);
  const auto kernel = Device::of(context);
  double* virial = output<double>(context, 0, {frames.num_sites, 9});
  over_frames(frames, attributes, [&](int64_t frame, const EwaldGrid& grid) {
    auto factor = room(kernel, grid.size());
    const Charges charges = frames.charges(frame);
    structure_factor(grid, charges, kernel, factor.data());
    ewald_site_virial(grid, charges, factor.data(), kernel,
                      virial + int64_t{9} * frames.frame_row[frame]);
  });
}

}  // namespace deeptf
