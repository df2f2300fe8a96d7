// Files that are no models, and models that do not say what they are.
#include <string>

#include "check.h"
#include "engine/file/model_file.h"
#include "graph_bytes.h"

using deeptf::ModelFile;
using namespace deeptf_test;

namespace {

bool is_refused(const std::string& content, const std::string& part) {
  return throws([&] { ModelFile("a.pb", content); }, part);
}

}  // namespace

TEST(damaged_graphs) {
  const auto damaged = [](const std::string& content, const std::string& part) {
    return is_refused(content,
                      "`model_file` must be a TensorFlow GraphDef, got a.pb, which cannot "
                      "be read as one: it is truncated or of another format (a graph must have ") &&
           is_refused(content, part);
  };
  const std::string many(11, '\xff');
  CHECK(damaged("\n" + many,
                "a whole number of at most 10 bytes at byte 1 of the file, got one without an "
                "end); freeze or copy it again"));
  CHECK(damaged("\n\xff", "a whole number of at most 10 bytes at byte 1"));
  CHECK(damaged("\n" + many.substr(0, 9) + "\x7f", "a number of at most 64 bits at byte 1"));
  CHECK(damaged("\n\5abc", "5 bytes at byte 2 of the file, got only 3"));
  CHECK(damaged("\n" + varint(kMost),
                "18446744073709551615 bytes at byte 11 of the file, got only 0"));
  CHECK(damaged(std::string("\2\0", 2), "a field at byte 0 of the file, got the number 0"));
  CHECK(
      damaged(varint(1ULL << 32) + "x", "a field at byte 0 of the file, got the number 536870912"));
  CHECK(damaged("\x0e", "a field at byte 0 of the file, got the wire type 6 of field 1"));
  CHECK(damaged("\x0c", "got the wire type 4 of field 1"));
  CHECK(damaged("\x0b\x14", "got the wire type 4 of field 2"));
  CHECK(damaged("\x0b", "the end of group 1 at byte 1"));
  std::string deep;
  for (int k = 0; k < 100000; ++k) deep += key(7, 3);
  CHECK(damaged(deep, "got the wire type 3 of field 7"));
  CHECK(damaged(field(1, field(1, "\xff")), "UTF-8 text at byte 4"));
  CHECK(damaged("\x0d\1\2\3", "4 bytes at byte 1 of the file, got only 3"));
}

TEST(what_is_no_model) {
  const std::string is = "`model_file` must be a ";
  CHECK(is_refused("", is + "frozen model, got a.pb, which holds no graph: it is empty"));
  CHECK(is_refused(field(2, "x"), "which holds no graph"));
  CHECK(is_refused(" \n node {", is +
                                     "binary frozen model, got a.pb, a graph as text; a deepmd-kit "
                                     "model becomes one by `deeptf convert a.pb new.pb`"));
  CHECK(is_refused("PK\3\4 more", is + "frozen model, got a.pb, a checkpoint or another archive; a "
                                       "checkpoint becomes one by `deeptf freeze -c a.pb -o"));
  CHECK(is_refused(node("descrpt_attr/rcut", ""),
                   is + "model of deeptf, got a.pb, a model of "
                        "deepmd-kit; convert it: `deeptf convert a.pb new.pb`"));
  CHECK(is_refused(node("other", ""),
                   is + "model of deeptf, got a.pb, a graph without the node "
                        "deeptf_model: it is truncated or was written by another program"));
  const std::string frozen = is + "frozen model, got ";
  CHECK(throws([] { ModelFile::read("/none.pb"); }, frozen + "/none.pb: no such file"));
  CHECK(throws([] { ModelFile::read("/dev/null/x"); }, frozen + "/dev/null/x: no such file"));
  CHECK(throws([] { ModelFile::read("/"); }, frozen + "/: it is no regular file"));
  CHECK(throws([] { ModelFile::read("/dev/zero"); }, "it is no regular file"));
  const std::string long_name(300, 'x');
  CHECK(throws([&] { ModelFile::read("/" + long_name); }, ": it cannot be opened ("));
}

TEST(formats) {
  const auto of = [](const std::string& json) { return model() + described(json); };
  ModelFile("a.pb", of("nothing"));  // of several descriptions the first one counts
  const std::string is = "`model_file` must have format 2, got a.pb with format ";
  CHECK(is_refused(described(R"({"format": 3, "deeptf_version": "9.1"})"),
                   is + "3, written by deeptf 9.1: use that version of deeptf"));
  CHECK(is_refused(described(R"({"format": "2"})"), is + "'2', written by deeptf (unknown): use"));
  CHECK(is_refused(described(R"({"format": 1, "deeptf_version": "0.1.0"})"),
                   is + "1, written by deeptf 0.1.0: freeze its checkpoint again, or run it in "
                        "Python, where DeepPot takes it as it is"));
}

TEST(damaged_descriptions) {
  const auto damaged = [](const std::string& content, const std::string& part) {
    return is_refused(content,
                      "`model_file` must describe itself in the node deeptf_model, got "
                      "a.pb, where " +
                          part);
  };
  const std::string again = "; freeze or copy it again", node_is = "that node is damaged (";
  CHECK(damaged(described("{"), node_is +
                                    "JSON must have a name in quotation marks at byte 1, got "
                                    "the end)" +
                                    again));
  CHECK(damaged(described("{}"), node_is + "the JSON must be an object with the member `format`"));
  CHECK(damaged(described("[]"), node_is + "the JSON must be an object, got a list of 0)"));
  CHECK(damaged(node("deeptf_model", field(3, 1)), node_is + "it holds no text)"));
  const std::string two = field(8, "a") + field(8, "b");
  CHECK(damaged(node("deeptf_model", tensor(kString, two, {2})),
                node_is + "a tensor must have one text, got 2 of them"));
  CHECK(damaged(node("deeptf_model", tensor(kString, "")),
                node_is + "a tensor must have one text, got 0 of them"));
  CHECK(damaged(node("deeptf_model", tensor(kInt32, two)),
                node_is + "a tensor must have the type string, got int32"));
  CHECK(damaged(node("deeptf_model", tensor(kString, field(4, "{}"))),
                node_is + "a tensor must have one text, got 0 of them"));
  CHECK(damaged(described(description()),
                "`outputs` must be names of nodes of the graph, got "
                "'energy': it is damaged" +
                    again));
}

TEST(keys_of_descriptions) {
  const auto refuses = [](const std::string& more, const std::string& part) {
    return is_refused(model("", more), ", where " + part);
  };
  CHECK(is_refused(described(R"({"format": 2})"), "`type_map` must be a list of names, got none"));
  for (const char* key : {"type_map", "outputs", "doors"}) {
    const std::string named = std::string("\"") + key + "\": ";
    for (const char* value : {"[]", "[1]", "null", "{}"}) {
      CHECK(refuses(named + value, std::string("`") + key + "` must be a list of names, got "));
    }
  }
  CHECK(refuses("\"arrays\": 1", "`arrays` must be a list of names, got 1"));
  for (const char* value : {"-1", "NaN", "Infinity", "\"4\"", "true"}) {
    CHECK(refuses(std::string("\"rcut\": ") + value, "`rcut` must be a number of A, got "));
  }
  for (const char* key : {"hops", "pair_bytes", "atom_bytes"}) {
    const std::string named = std::string("\"") + key + "\": ";
    for (const char* value : {"0", "1.5", "1e999", "null"}) {
      CHECK(refuses(named + value, std::string("`") + key + "` must be an integer from 1, got "));
    }
  }
  CHECK(refuses("\"numb_fparam\": -1", "`numb_fparam` must be an integer from 0, got -1"));
  CHECK(refuses("\"model\": []", "`model` must be an object, got a list of 0"));
}

TEST(descriptions_fit_the_graph) {
  const std::string parameters =
      node("fparam", field(7, shape_of({-1, 3})), "shape", "Placeholder");
  const auto holds = [](const std::string& nodes, const std::string& more) {
    const std::string content = model(nodes, more);
    return ModelFile("a.pb", content).metadata().at("format").integer() == 2;
  };
  CHECK(holds(parameters, "\"numb_fparam\": 3"));
  CHECK(is_refused(model(parameters, "\"numb_fparam\": 2"),
                   "`numb_fparam` must be 3, what the graph takes, got 2"));
  CHECK(is_refused(model("", "\"numb_aparam\": 2"),
                   "`numb_aparam` must be 0, what the graph takes, got 2"));
  CHECK(holds(node("fparam", field(7, field(3, 1)), "shape"), ""));
  const std::string counts = node("outside_count", "", "T", "Identity");
  CHECK(holds(counts, R"("table_range": {"data": [[0.5]]})"));
  CHECK(holds(counts, R"("table_range": {"data": [[null]]})"));
  for (const char* range : {"null", "{}", R"({"data": []})", R"({"data": [[-1]]})",
                            R"({"data": [[1, 2]]})", R"({"data": [1]})", R"({"data": [["x"]]})"}) {
    CHECK(is_refused(model(counts, std::string("\"table_range\": ") + range),
                     "`table_range` must be distances of 1 times 1 types, got "));
  }
}
