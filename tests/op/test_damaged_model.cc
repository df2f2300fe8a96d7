// A real frozen model, whole and damaged in many ways.
#include <cstdio>
#include <string>

#include "check.h"
#include "damaged_file.h"
#include "engine/file/model_file.h"

using deeptf::Array;
using deeptf::ModelFile;
using deeptf_test::damaged;
using deeptf_test::golden;

using Shape = std::vector<int64_t>;

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
  const std::vector<size_t> places = deeptf_test::places_of(whole);
  const ModelFile sound("whole.pb", whole);
  for (const auto& [name, about] : sound.metadata().at("constants").members()) {
    constants.push_back(
        {name, about.at("shape").items().size(), about.at("type").text() == "int32"});
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
