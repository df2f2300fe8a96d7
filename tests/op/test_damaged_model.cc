// A real frozen model, whole and damaged in many ways.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "check.h"
#include "engine/file/model_file.h"

using deeptf::Array;
using deeptf::ModelFile;

namespace {

using Shape = std::vector<int64_t>;

std::string golden() {
  std::ifstream stream(GOLDEN, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

// Cuts a file, or changes, inserts and leaves out a few bytes, nearly always close to `places`.
std::vector<char> damaged(const std::string& whole, const std::vector<size_t>& places,
                          std::mt19937* engine) {
  const auto draw = [engine](size_t count) { return (*engine)() % count; };
  const auto place = [&](const std::string& content) {
    const size_t near = places[draw(places.size())] + draw(120) - 80;
    return draw(8) == 0 ? draw(content.size()) : std::min(near, content.size() - 1);
  };
  static constexpr char kBytes[] = "\0\1\2\n\x12\x42\x7f\x80\xff";
  std::string content = whole;
  for (size_t n = draw(3) + 1; n > 0; --n) {
    const size_t at = place(content);
    switch (draw(6)) {
      case 0:
        content[at] = static_cast<char>(content[at] ^ 1 << draw(8));
        break;
      case 1:
        content[at] = static_cast<char>(draw(256));
        break;
      case 2:
        content[at] = static_cast<char>(content[at] + (draw(2) == 0 ? 1 : -1));
        break;
      case 3:
        content.erase(at, draw(8) + 1);
        break;
      case 4:
        content.insert(at, draw(10) + 1, kBytes[draw(sizeof kBytes - 1)]);
        break;
      default:
        if (draw(4) == 0) content.resize(at + 1);
    }
  }
  return {content.begin(), content.end()};
}

}  // namespace

TEST(a_frozen_model) {
  const ModelFile model = ModelFile::read(GOLDEN);
  CHECK(model.name() == GOLDEN && model.content() == golden());
  CHECK(model.metadata().at("type_map").items()[1].text() == "B");
  CHECK(model.metadata_text().rfind("{\"format\": 2", 0) == 0);
  const Array<double> table = model.constant<double>("descriptor/table", {-1, 2, 8});
  CHECK(table.shape == Shape({743, 2, 8}) && table.data.size() == 743 * 2 * 8);
  CHECK(model.constant<int32_t>("descriptor/curve", {2, 2}).data ==
        std::vector<int32_t>({0, 1, 2, 3}));
  CHECK(model.constant<double>("descriptor/sel", {2}).data == std::vector<double>({20, 20}));
  const ModelFile copy = model;  // which needs the file as long as it lives
  CHECK(copy.constant<float>("descriptor/stddev", {2, 4}).data[1] == 0.1f);
}

// All that a model describes is looked at, or the file is refused with a message.
TEST(damaged_files) {
  struct Known {
    std::string name;
    size_t rank;
    bool is_integer;
  };
  const std::string whole = golden();
  std::vector<Known> constants;
  std::vector<size_t> places{whole.find("deeptf_model")};
  const ModelFile sound("whole.pb", whole);
  for (const auto& [name, about] : sound.metadata().at("constants").members()) {
    constants.push_back(
        {name, about.at("shape").items().size(), about.at("type").text() == "int32"});
    places.push_back(whole.find(name));
  }
  std::mt19937 engine(0);
  int accepted = 0, refused = 0, loaded = 0;
  for (int k = 0; k < 2000; ++k) {
    const std::vector<char> content = damaged(whole, places, &engine);
    try {
      const ModelFile model("damaged.pb", {content.data(), content.size()});
      ++loaded;
      for (const Known& known : constants) {
        const Shape shape(known.rank, -1);
        if (known.is_integer) {
          model.constant<int32_t>(known.name, shape);
        } else {
          model.constant<double>(known.name, shape);
        }
      }
      ++accepted;
    } catch (const deeptf::Error& error) {
      const std::string message = error.what();
      CHECK(message.rfind("`model_file` must ", 0) == 0);
      CHECK(message.find("damaged.pb") != std::string::npos);
      ++refused;
    }
  }
  std::printf("%d files, %d refused, %d of these by a constant\n", accepted + refused, refused,
              loaded - accepted);
  CHECK(accepted > 200 && refused > 200 && loaded > accepted + 100);
}
