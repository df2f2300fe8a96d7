// The nodes that pairs and empty places need, on the device and on the CPU.
#include "core/cuda/needed_nodes.h"
#include "curve_case.h"

using deeptf_test::CurveCase;
using deeptf_test::CurveCaseOnDevice;
using deeptf_test::DeviceArray;

namespace {

std::vector<int32_t> of_device(const CurveCase<double>& c) {
  const CurveCaseOnDevice<double> on(c);
  deeptf_test::TestDevice device;
  const deeptf::Cuda cuda = device.cuda();
  const int64_t nodes = c.node_row.back();
  const DeviceArray<int32_t> needed(nodes + 1);
  deeptf::needed_nodes(deeptf::place_pairs(on.pairs(), cuda), on.segments(), nodes, cuda,
                       on.rows.data(), needed.data());
  return needed.host();
}

void check(CurveCase<double> c) {
  CHECK(deeptf_test::same_in_all_orders([&] { return of_device(c); }) == c.needed);
  // None of the atoms has a neighbour: empty places alone.
  c.neighbor_count.assign(c.neighbor_count.size(), 0);
  c.num_pairs = 0;
  deeptf::needed_nodes(c.pairs(), c.segments(), deeptf_test::serial(), nullptr, c.needed.data());
  CHECK(of_device(c) == c.needed);
}

}  // namespace

TEST(nodes_are_those_of_the_cpu) {
  check(CurveCase<double>(4, 1, 3));
  check(CurveCase<double>(1, 1, 70));
}
