// Prints what a model file holds, for a comparison with the reader in Python:
//
//     read_model FILE
//
// The description on the first line; then each constant that it lists on a line of its own: name,
// number of dimensions, dimensions, elements with all their digits. Where the file cannot be read,
// the message goes to the other stream, and the result is 1.
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "engine/file/model_file.h"

namespace {

template <class T>
void print(const deeptf::ModelFile& model, const std::string& name, size_t rank) {
  const auto array = model.constant<T>(name, std::vector<int64_t>(rank, -1));
  std::printf("%s %zu", name.c_str(), rank);
  for (const int64_t length : array.shape) std::printf(" %lld", static_cast<long long>(length));
  for (const T value : array.data) std::printf(" %.17g", static_cast<double>(value));
  std::printf("\n");
}

}  // namespace

int main(int, char** given) {
  try {
    const deeptf::ModelFile model = deeptf::ModelFile::read(given[1]);
    std::printf("%s\n", model.metadata_text().c_str());
    for (const auto& [name, about] : model.metadata().at("constants").members()) {
      const size_t rank = about.at("shape").items().size();
      if (about.at("type").text() == "int32") {
        print<int32_t>(model, name, rank);
      } else {
        print<double>(model, name, rank);
      }
    }
  } catch (const deeptf::Error& error) {
    std::fprintf(stderr, "%s", error.what());
    return 1;
  }
}
