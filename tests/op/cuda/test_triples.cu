// Products of two neighbours and their sums on the device against the CPU.
#include "compare.h"
#include "core/cuda/triples.h"

using deeptf::NeighborRuns;
using deeptf_test::DeviceArray;
using deeptf_test::distance;

namespace {

struct Results {
  std::vector<int32_t> count;
  std::vector<double> products, sums;

  bool operator==(const Results& other) const {
    return count == other.count && products == other.products && sums == other.sums;
  }
};

struct Case {
  Case(int64_t types, std::vector<int32_t> counts)
      : types(types), neighbor_count(std::move(counts)) {
    for (const int32_t count : neighbor_count) pairs += count;
    a = deeptf_test::random<double>(4 * pairs, 1);
    b = deeptf_test::random<double>(4 * pairs, 2);
  }
  NeighborRuns runs(const int32_t* count) const {
    return {static_cast<int64_t>(neighbor_count.size()) / types, pairs, types, count};
  }

  int64_t types, pairs = 0;
  std::vector<int32_t> neighbor_count;
  std::vector<double> a, b;
};

std::vector<double> upper_of(size_t triples) { return deeptf_test::random<double>(triples, 3); }

Results of_cpu(const Case& c) {
  const NeighborRuns runs = c.runs(c.neighbor_count.data());
  Results out{std::vector<int32_t>(runs.num_atoms * runs.num_blocks()), {}, {}};
  out.products.resize(deeptf::count_triples(runs, out.count.data()));
  out.sums.resize(c.b.size());
  const deeptf::Context context = deeptf_test::serial();
  deeptf::triple_products(runs, context, c.a.data(), c.b.data(), out.products.data());
  const std::vector<double> upper = upper_of(out.products.size());
  deeptf::triple_sums(runs, context, c.b.data(), upper.data(), out.sums.data());
  return out;
}

Results of_device(const Case& c) {
  const DeviceArray<int32_t> neighbor_count(c.neighbor_count);
  const DeviceArray<double> a(c.a), b(c.b);
  deeptf_test::TestDevice device;
  const deeptf::Cuda cuda = device.cuda();
  const deeptf::PlacedTriples runs = deeptf::place_triples(c.runs(neighbor_count.data()), cuda);
  const DeviceArray<int32_t> count(runs.num_atoms * runs.num_blocks());
  const DeviceArray<double> products(deeptf::count_triples(runs, cuda, count.data()));
  const DeviceArray<double> sums(static_cast<int64_t>(c.b.size()));
  deeptf::triple_products(runs, cuda, a.data(), b.data(), products.data());
  const std::vector<double> found = products.host();
  const DeviceArray<double> upper(upper_of(found.size()));
  deeptf::triple_sums(runs, cuda, b.data(), upper.data(), sums.data());
  return {count.host(), found, sums.host()};
}

void check(int64_t types, const std::vector<int32_t>& counts) {
  const Case c(types, counts);
  const Results got = deeptf_test::same_in_all_orders([&] { return of_device(c); });
  const Results wanted = of_cpu(c);
  CHECK(got.count == wanted.count);
  CHECK(distance(got.products, wanted.products) < 1e-12);
  CHECK(distance(got.sums, wanted.sums) < 1e-12);
}

}  // namespace

TEST(products_and_sums_are_those_of_the_cpu) {
  check(1, {3, 0, 1, 40, 2});
  check(2, {2, 0, 0, 0, 33, 70, 1, 5});
  check(3, {2, 0, 3, 0, 0, 0, 1, 4, 2, 3, 1, 0});
}

TEST(no_atoms) { check(2, {}); }

TEST(wrong_counts_are_refused) {
  const auto refused = [](Case c, const std::vector<int32_t>& counts, const char* message) {
    c.neighbor_count = counts;
    CHECK(deeptf_test::throws([&] { of_device(c); }, message));
  };
  const Case c(2, {1, 2});
  refused(c, {1, 3}, "`neighbor_count` must add up to the 3 pairs, got 4");
  refused(c, {4, -1}, "`neighbor_count` must not be negative");
  refused(c, {65536, 65536}, "must add up to the 3 pairs");
  Case many(1, {3});
  many.pairs = 65536;
  refused(many, {65536}, "triples of atoms must be below 2^31, got 2147516416");
}
