#include "engine/file/model_file.h"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/base/error.h"
#include "engine/file/graph.h"
#include "engine/file/metadata.h"

namespace deeptf {
namespace {

constexpr int64_t kFormat = 2;
constexpr int64_t kFormatOfPython = 1;  // that deeptf in Python renews
constexpr const char* kMetadata = "deeptf_model";
constexpr const char* kAgain = "; freeze or copy it again";

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

// What is wrong with a file that is no graph.
std::string unreadable(const std::string& name, std::string_view content, const Error& error) {
  const std::string_view begin = content.substr(0, 4096);
  const size_t first = begin.find_first_not_of(" \t\n\r\f\v");
  if (first != std::string_view::npos && starts_with(begin.substr(first), "node")) {
    return "`model_file` must be a binary frozen model, got " + name +
           ", a graph as text; a deepmd-kit model becomes one by `deeptf convert " + name +
           " new.pb`";
  }
  if (starts_with(content, "PK\3\4")) {
    return "`model_file` must be a frozen model, got " + name +
           ", a checkpoint or another archive; a checkpoint becomes one by `deeptf freeze -c " +
           name + " -o model.pb`";
  }
  return "`model_file` must be a TensorFlow GraphDef, got " + name +
         ", which cannot be read as one: it is truncated or of another format (" + error.what() +
         ")" + kAgain;
}

// What is wrong with a graph that does not describe itself.
std::string foreign(const std::string& name, std::string_view content) {
  NodeReader nodes(content);
  GraphNode node;
  bool any = false;
  for (; nodes.next(&node); any = true) {
    for (const char* start : {"descrpt_attr/", "fitting_attr/", "model_attr/", "train_attr/"}) {
      if (!starts_with(node.name, start)) continue;
      return "`model_file` must be a model of deeptf, got " + name +
             ", a model of deepmd-kit; convert it: `deeptf convert " + name + " new.pb`";
    }
  }
  if (!any) {
    return "`model_file` must be a frozen model, got " + name +
           ", which holds no graph: it is empty";
  }
  return "`model_file` must be a model of deeptf, got " + name + ", a graph without the node " +
         kMetadata + ": it is truncated or was written by another program";
}

// Throws Error unless the file has the format that is read here.
void check_format(const std::string& name, const Json& metadata) {
  const Json& format = metadata.at("format");
  const bool is_number = format.kind() == Json::Kind::number;
  if (is_number && format.number() == kFormat) return;
  const Json* writer = metadata.find("deeptf_version");
  const bool named = writer != nullptr && writer->kind() == Json::Kind::string;
  std::string advice = "use that version of deeptf";
  if (is_number && format.number() == kFormatOfPython) {
    advice = "freeze its checkpoint again, or run it in Python, where DeepPot takes it as it is";
  }
  throw Error("`model_file` must have format " + std::to_string(kFormat) + ", got " + name +
              " with format " + format.shown() + ", written by deeptf " +
              (named ? writer->text() : "(unknown)") + ": " + advice);
}

bool is_like(const TensorShape& wanted, const TensorShape& shape) {
  const auto fits = [](int64_t length, int64_t found) { return length == -1 || length == found; };
  return std::equal(wanted.begin(), wanted.end(), shape.begin(), shape.end(), fits);
}

template <class T>
bool is_of(const Tensor& tensor) {
  if (std::is_integral_v<T>) return tensor.type() == "int32";
  return tensor.type() == "float32" || tensor.type() == "float64";
}

template <class T>
std::vector<T> numbers_as(const Tensor& tensor) {
  if constexpr (std::is_integral_v<T>) {
    return tensor.numbers<T>();
  } else {
    using Other = std::conditional_t<std::is_same_v<T, float>, double, float>;
    if (tensor.type() == (sizeof(T) == 4 ? "float32" : "float64")) return tensor.numbers<T>();
    const std::vector<Other> numbers = tensor.numbers<Other>();
    return std::vector<T>(numbers.begin(), numbers.end());
  }
}

}  // namespace

ModelFile ModelFile::read(const std::string& path) {
  std::shared_ptr<const MappedFile> file;
  try {
    file = std::make_shared<const MappedFile>(path);
  } catch (const Error& error) {
    throw Error("`model_file` must be a frozen model, got " + path + ": " + error.what());
  }
  ModelFile model(path, file->content());
  model.file_ = file;
  return model;
}

ModelFile::ModelFile(std::string name, std::string_view content)
    : name_(std::move(name)), content_(content) {
  GraphNode metadata;
  try {
    NodeReader nodes(content_);
    GraphNode node;
    while (nodes.next(&node)) {
      if (node.op == "Const") constants_[std::string(node.name)] = node.bytes;
      if (node.name == kMetadata && metadata.bytes.empty()) metadata = node;
    }
  } catch (const Error& error) {
    throw Error(unreadable(name_, content_, error));
  }
  if (metadata.bytes.empty()) throw Error(foreign(name_, content_));
  const std::string wrong = std::string("`model_file` must describe itself in the node ") +
                            kMetadata + ", got " + name_ + ", where ";
  try {
    const std::optional<Tensor> tensor = tensor_of(content_, metadata);
    if (!tensor) throw Error("it holds no text");
    metadata_text_ = tensor->text();
    metadata_ = Json::parse(metadata_text_);
    metadata_.at("format");
  } catch (const Error& error) {
    throw Error(wrong + "that node is damaged (" + error.what() + ")" + kAgain);
  }
  check_format(name_, metadata_);
  try {
    check_metadata(metadata_, content_);
  } catch (const Error& error) {
    throw Error(wrong + error.what() + ": it is damaged" + kAgain);
  }
}

template <class T>
Array<T> ModelFile::constant(const std::string& name, const std::vector<int64_t>& shape) const {
  std::string got = " without it";
  const auto found = constants_.find(name);
  if (found != constants_.end()) {
    try {
      const std::optional<Tensor> tensor = tensor_of(content_, {{}, {}, found->second});
      if (tensor && is_of<T>(*tensor) && is_like(shape, tensor->shape())) {
        return {tensor->shape(), numbers_as<T>(*tensor)};
      }
      got = ", where it is ";
      got += tensor ? tensor->type() + " of shape " + shown(tensor->shape()) : "no array";
    } catch (const Error& error) {
      got = std::string(", where ") + error.what();
    }
  }
  const char* kind = std::is_integral_v<T> ? "integers" : "floats";
  throw Error("`model_file` must hold the constant " + name + ", " + kind + " of shape " +
              shown(shape, "any") + ", got " + name_ + got + ": it is damaged" + kAgain);
}

template Array<float> ModelFile::constant(const std::string&, const std::vector<int64_t>&) const;
template Array<double> ModelFile::constant(const std::string&, const std::vector<int64_t>&) const;
template Array<int32_t> ModelFile::constant(const std::string&, const std::vector<int64_t>&) const;

}  // namespace deeptf
