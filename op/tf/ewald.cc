// The ops Ewald and EwaldSiteVirial, and their CPU kernels.
#include "tf/ewald.h"

namespace deeptf {
namespace {

// Gives the number of sites and of frames.
absl::Status expect_frames(InferenceContext* c, DimensionHandle* sites, DimensionHandle* frames) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, 3}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1}));
  TF_RETURN_IF_ERROR(expect(c, 2, {-1, 3, 3}));
  TF_RETURN_IF_ERROR(expect(c, 3, {-1}));
  *frames = c->Dim(c->input(2), 0);
  return c->Merge(c->Dim(c->input(0), 0), c->Dim(c->input(1), 0), sites);
}

absl::Status shape_of_ewald(InferenceContext* c) {
  DimensionHandle sites, frames;
  TF_RETURN_IF_ERROR(expect_frames(c, &sites, &frames));
  c->set_output(0, c->Vector(frames));
  c->set_output(1, c->Matrix(sites, c->MakeDim(3)));
  c->set_output(2, c->Matrix(frames, c->MakeDim(9)));
  c->set_output(3, c->Vector(sites));
  return absl::OkStatus();
}

absl::Status shape_of_site_virial(InferenceContext* c) {
  DimensionHandle sites, frames;
  TF_RETURN_IF_ERROR(expect_frames(c, &sites, &frames));
  c->set_output(0, c->Matrix(sites, c->MakeDim(9)));
  return absl::OkStatus();
}

}  // namespace

REGISTER_OP("Ewald")
    .Input("coord: double")
    .Input("charge: double")
    .Input("cell: double")
    .Input("frame_row: int32")
    .Attr("beta: float")
    .Attr("spacing: float")
    .Output("energy: double")
    .Output("force: double")
    .Output("virial: double")
    .Output("potential: double")
    .SetShapeFn(shape_of_ewald);

REGISTER_OP("EwaldSiteVirial")
    .Input("coord: double")
    .Input("charge: double")
    .Input("cell: double")
    .Input("frame_row: int32")
    .Attr("beta: float")
    .Attr("spacing: float")
    .Output("site_virial: double")
    .SetShapeFn(shape_of_site_virial);

REGISTER_KERNEL_BUILDER(Name("Ewald").Device(tensorflow::DEVICE_CPU),
                        Kernel<EwaldAttributes, ewald_of_frames<Cpu>>);
REGISTER_KERNEL_BUILDER(Name("EwaldSiteVirial").Device(tensorflow::DEVICE_CPU),
                        Kernel<EwaldAttributes, ewald_virial_of_sites<Cpu>>);

}  // namespace deeptf
