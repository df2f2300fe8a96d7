// Values of atoms side by side, in the highest precision of them.
#include <utility>

#include "engine/cuda/stage.h"

namespace deeptf::device {
namespace {

// Rows of `width` numbers between arrays whose rows lie `from_stride` and `to_stride` apart.
template <class T>
struct CopyRows {
  int64_t width, from_stride, to_stride;
  const T* from;
  T* to;

  DEEPTF_HD void operator()(int64_t k) const {
    to[k / width * to_stride + k % width] = from[k / width * from_stride + k % width];
  }
};

template <class T>
class ConcatenationStage final : public Stage {
 public:
  ConcatenationStage(const StageReader& reader, std::vector<int> takes) : takes_(std::move(takes)) {
    for (const int value : takes_) {
      widths_.push_back(reader.type_of(value).width);
      width_ += widths_.back();
    }
    gives_ = reader.gives({width_, false, kPrecision<T>});
  }

  Pull run(const Block& block, Values& values, bool gradient) const override {
    T* to = values.give<T>(gives_);
    for (size_t k = 0; k < takes_.size(); ++k) {
      for_each(block.cuda, block.num_atoms * widths_[k],
               CopyRows<T>{widths_[k], widths_[k], width_, values.take<T>(takes_[k]), to});
      to += widths_[k];
    }
    if (!gradient) return {};
    return [this, &block, &values] {
      const T* upper = values.gradient<T>(gives_);
      for (size_t k = 0; k < takes_.size(); ++k) {
        values.add_gradient<T>(takes_[k], [&](T* out) {
          for_each(block.cuda, block.num_atoms * widths_[k],
                   CopyRows<T>{widths_[k], width_, widths_[k], upper, out});
        });
        upper += widths_[k];
      }
    };
  }

 private:
  std::vector<int> takes_;
  std::vector<int64_t> widths_;
  int64_t width_ = 0;
  int gives_;
};

}  // namespace

std::unique_ptr<Stage> make_concatenation(const StageReader& reader) {
  std::vector<int> takes;
  bool is_double = false;
  for (const Json& name : reader.fields.at("takes").items()) {
    takes.push_back(reader.value_named(name.text()));
    const ValueType& type = reader.type_of(takes.back());
    if (type.of_pairs) throw Error("a concatenation must take values of atoms");
    is_double = is_double || type.precision == Precision::float64;
  }
  if (is_double) return std::make_unique<ConcatenationStage<double>>(reader, std::move(takes));
  return std::make_unique<ConcatenationStage<float>>(reader, std::move(takes));
}

}  // namespace deeptf::device
