// Constants of frozen models in all forms that protobuf allows; damaged ones are refused.
#include <string>

#include "check.h"
#include "engine/file/model_file.h"
#include "graph_bytes.h"

using deeptf::Array;
using deeptf::ModelFile;
using namespace deeptf_test;

namespace {

template <class T>
Array<T> read(const std::string& nodes, const Shape& shape) {
  const std::string content = model(nodes);
  return ModelFile("a.pb", content).constant<T>("here", shape);
}

template <class T>
bool gives(const std::string& nodes, const Shape& shape, const std::vector<T>& data) {
  const Array<T> found = read<T>(nodes, shape);
  return found.shape == shape && found.data == data;
}

template <class T>
bool is_damaged(const std::string& nodes, const Shape& shape, const std::string& part) {
  return throws([&] { read<T>(nodes, shape); }, part);
}

}  // namespace

TEST(forms_of_constants) {
  using Floats = std::vector<float>;
  using Doubles = std::vector<double>;
  using Integers = std::vector<int32_t>;
  CHECK(gives(constant(kFloat, field(5, bytes_of<float>({1, 2})), {2}), {2}, Floats{1, 2}));
  CHECK(gives(constant(kFloat, fixed(5, 1.f) + fixed(5, 2.f), {2}), {2}, Floats{1, 2}));
  CHECK(gives(constant(kDouble, fixed(6, 1.) + field(6, bytes_of<double>({2})), {2}), {2},
              Doubles{1, 2}));
  CHECK(gives(constant(kInt32, field(7, 1) + field(7, "\2\3"), {3}), {3}, Integers{1, 2, 3}));
  CHECK(gives(constant(kInt32, field(7, 7), {2, 2}), {2, 2}, Integers{7, 7, 7, 7}));
  CHECK(gives(constant(kInt32, field(7, "\1\2"), {4}), {4}, Integers{1, 2, 2, 2}));
  CHECK(gives(constant(kInt32, field(7, kMost - 4)), {}, Integers{-5}));
  CHECK(gives(constant(kDouble, "", {2}), {2}, Doubles{0, 0}));
  CHECK(gives(constant(kDouble, "", {0, 3}), {0, 3}, Doubles{}));
  CHECK(
      gives(constant(kDouble, field(4, bytes_of<double>({1, 2})), {1, 2}), {1, 2}, Doubles{1, 2}));
  CHECK(gives(constant(kInt32, field(4, bytes_of<int32_t>({4})), {1}), {1}, Integers{4}));
  CHECK(gives(constant(kInt32, field(7, 4), {1, 1}), {1, 1}, Integers{4}));
}

TEST(floats_become_each_other) {
  const std::string value = field(4, bytes_of<float>({0.1f}));
  CHECK(gives(constant(kFloat, value, {1}), {1}, std::vector<double>{0.1f}));
  CHECK(gives(constant(kDouble, fixed(6, 0.1), {2}), {2}, std::vector<float>{0.1f, 0.1f}));
}

TEST(what_comes_several_times) {
  const std::string type = field(1, kFloat), value = fixed(5, 2.5f),
                    shape = field(2, shape_of({2}));
  const std::vector<float> twice{2.5f, 2.5f};
  const std::string parts = field(8, type) + field(8, value) + field(8, shape);
  CHECK(gives(node("here", parts), {2}, twice));
  CHECK(gives(node("here", tensor(kInt32, "") + field(3, 1) + parts), {2}, twice));
  const std::string entry = field(1, "value") + field(2, field(8, type + value)) +
                            field(2, field(8, shape)) + field(99, 1);
  const std::string named = field(1, "other") + field(1, "here") + field(2, "Const");
  CHECK(gives(field(1, named + field(5, entry)), {2}, twice));
  const std::string earlier = field(5, field(1, "value") + field(2, tensor(kInt32, field(7, 1))));
  CHECK(gives(field(1, named + earlier + field(5, entry)), {2}, twice));
  CHECK(gives(constant(kInt32, field(7, 1), {2}) + field(1, named + field(5, entry)), {2}, twice));
  CHECK(gives(constant(kDouble, field(1, kFloat) + value + shape, {3}), {3, 2},
              std::vector<float>(6, 2.5f)));
}

TEST(fields_that_are_skipped) {
  const std::string group = key(77, 3) + field(1, 5) + key(2, 3) + key(2, 4) + key(77, 4);
  const std::string other = group + field(98, "x") + fixed(97, 1.f) + fixed(96, 1.) + field(95, 3);
  const std::string entry = other + field(1, "value") +
                            field(2, other + tensor(kInt32, other + field(7, 6)) + other) + other;
  const std::string nodes =
      other + field(1, other + field(1, "here") + field(2, "Const") + field(5, entry) + other);
  CHECK(gives(nodes, {}, std::vector<int32_t>{6}));
  CHECK(gives(constant(kInt32, field(7, 6) + fixed(7, 1.f) + field(4, 3)), {},
              std::vector<int32_t>{6}));
}

TEST(damaged_constants) {
  const auto one = field(7, 1);
  CHECK(is_damaged<int32_t>(constant(kInt32, one, {-1}), {-1}, "a sensible shape, got [-1]"));
  CHECK(is_damaged<int32_t>(constant(kInt32, "", {0, 1LL << 62}), {0, -1}, "a sensible shape"));
  CHECK(is_damaged<int32_t>(constant(kInt32, one, {1 << 30, 1 << 30, 1 << 30}), {-1, -1, -1},
                            "a sensible shape, got [1073741824, 1073741824, 1073741824]"));
  CHECK(is_damaged<int32_t>(constant(kInt32, one, {1 << 30, 1 << 30}), {-1, -1},
                            "1152921504606846976 elements, got 1 of them"));
  CHECK(is_damaged<double>(constant(kDouble, "", {(1 << 22) + 1}), {-1}, "4194305 elements"));
  CHECK(is_damaged<int32_t>(constant(kInt32, one, Shape(33, 1)), Shape(33, 1), "a sensible shape"));
  CHECK(is_damaged<int32_t>(constant(kInt32, field(7, "\1\2"), {1}), {1}, "1 elements, got 2"));
  CHECK(is_damaged<float>(constant(kFloat, field(5, "abcdef"), {1}), {1}, "numbers of 4 bytes"));
  CHECK(is_damaged<double>(constant(kDouble, field(4, std::string(8, ' ')), {2}), {2},
                           "2 elements, got 1 of them"));
  CHECK(is_damaged<double>(constant(kDouble, field(4, std::string(15, ' ')), {2}), {2},
                           "elements of 8 bytes, got 7 bytes more"));
  CHECK(is_damaged<double>(constant(kDouble, field(2, field(3, 1))), {}, "shape, got none"));
  CHECK(is_damaged<int32_t>(constant(kInt32, field(7, "\xff")), {}, "one without an end"));
}

TEST(messages_name_constant_and_file) {
  const std::string is = "`model_file` must hold the constant here, ";
  const std::string end = ": it is damaged; freeze or copy it again";
  const std::string numbers = constant(kInt32, field(7, 1), {2, 3});
  CHECK(is_damaged<double>(
      numbers, {2, 3},
      is + "floats of shape [2, 3], got a.pb, where it is int32 of shape [2, 3]" + end));
  CHECK(is_damaged<int32_t>(
      numbers, {-1, 4},
      is + "integers of shape [any, 4], got a.pb, where it is int32 of shape [2, 3]" + end));
  CHECK(is_damaged<int32_t>(numbers, {2}, "integers of shape [2], got a.pb, where it is int32 of"));
  CHECK(is_damaged<int32_t>(constant(kDouble, ""), {},
                            "integers of shape [], got a.pb, where it is float64"));
  CHECK(is_damaged<int32_t>(constant(kInt64, field(10, 1)), {}, "where it is type 9 of shape []"));
  CHECK(is_damaged<int32_t>(constant(kString, field(8, "")), {}, "where it is string of shape []"));
  CHECK(is_damaged<int32_t>("", {}, "got a.pb without it" + end));
  CHECK(is_damaged<int32_t>(node("here", tensor(kInt32, ""), "value", "Add"), {},
                            "without it" + end));
  CHECK(is_damaged<int32_t>(node("here", field(3, 1)), {}, "where it is no array" + end));
  CHECK(is_damaged<int32_t>(node("here", tensor(kInt32, ""), "other"), {}, "where it is no array"));
  CHECK(is_damaged<int32_t>(
      constant(kInt32, field(7, "\1\2")), {},
      "got a.pb, where a tensor must have 1 elements, got 2 of them, at byte 55 of the file" +
          end));
}

TEST(time_goes_with_the_size) {
  std::string fields, nodes;
  for (int k = 0; k < 50000; ++k) {
    fields += field(8, "") + field(1, "");
    nodes += node("", "");
  }
  CHECK(gives(node("here", fields + tensor(kInt32, field(7, 3))), {}, std::vector<int32_t>{3}));
  CHECK(gives(constant(kInt32, field(7, 3)) + nodes, {}, std::vector<int32_t>{3}));
}
