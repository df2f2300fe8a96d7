// Damaged models through the C interface: a message each time, or a model that can be evaluated.
#include <string>

#include "check.h"
#include "plan_text.h"

using namespace deeptf_test;

TEST(masks_are_one_number_of_an_atom) {
  const std::string content = model("", "\"masked\": true");
  CHECK(load({content.begin(), content.end()}) == nullptr);
  const std::string message = api().deeptf_last_error();
  CHECK(message.find("`numb_aparam` must be 1 where it says which atoms are there, got 0") !=
        std::string::npos);
}

TEST(damaged_files) {
  const std::string whole = golden();
  const std::vector<size_t> places = places_of(whole);
  std::mt19937 engine(2);
  Outcomes outcomes;
  for (int k = 0; k < 1000; ++k) outcomes.count(damaged(whole, places, &engine));
  CHECK(outcomes.evaluated > 100 && outcomes.refused > 100);
}

// Numbers and names of the description become other ones, of its own and odd ones.
TEST(other_descriptions) {
  const std::string whole = golden();
  const Outcomes outcomes =
      exchanged(deeptf::ModelFile("whole.pb", whole).metadata_text(), 0, whole, 500);
  CHECK(outcomes.evaluated > 50 && outcomes.refused > 50);
}

TEST(embedding_nets_of_other_widths) {
  const std::string sums = R"({"kernel": "network_sum", "takes": "rows", "gives": "sums",
      "columns": 4, "activation": "tanh", "curve": "descriptor/curve", "sel": "descriptor/sel",
      "empty": "descriptor/empty", "nets": [)";
  const std::string one = net("descriptor/embedding_0_0"), more = ", " + one + ", " + one + "]}";
  const std::string wide = doubles("wide/0/matrix", {1, 4000}) + doubles("wide/0/bias", {4000}) +
                           doubles("wide/1/matrix", {4000, 8}) + doubles("wide/1/bias", {8});
  const std::string before = environment() + ", " + sums + one + ", ";
  CHECK(is_refused(with_plan(before + net("wide") + more, wide),
                   "embedding nets of a model must have layers of equal widths"));
  CHECK(is_refused(with_plan(before + "[" + layer("descriptor/embedding_0_0/0") + "]" + more),
                   "layers of equal widths"));
  CHECK(is_refused(with_plan(before + one + more), "got no value energy"));
}

// Axes of sums [4, 8], numbers of them and what both make; energies are numbers too.
TEST(vectors_and_tensors) {
  const std::string sums = R"({"kernel": "network_sum", "takes": "rows", "gives": "sums",
      "columns": 4, "activation": "tanh", "curve": "descriptor/curve", "sel": "descriptor/sel",
      "empty": "descriptor/empty", "nets": [)";
  const auto stages = [&](const std::string& chosen, const std::string& places,
                          const std::string& width) {
    const std::string one = net("descriptor/embedding_0_0");
    const std::string numbers = R"({"kernel": "property_net", "takes": "descriptor", "chosen": )";
    const std::string nets = R"(, "activation": "tanh", "nets": [)";
    const std::string of_axes = "[" + layer("numbers/0") + ", " + layer("numbers/" + width) + "]";
    return environment() + ", " + sums + one + ", " + one + ", " + one + ", " + one + "]}, " +
           R"({"kernel": "moment_product", "takes": "sums", "gives": "descriptor", "axis": 3,
        "places": 40}, )" +
           numbers + "[true, true]" + nets + of_axes + ", " + of_axes +
           R"(], "gives": "numbers"}, {"kernel": "axes", "takes": ["sums"], "gives": "axes",
        "places": )" +
           places +
           R"(}, {"kernel": "axis_vector", "takes": ["axes", "numbers"], "gives": "vector"},
        {"kernel": "axis_tensor", "takes": ["axes", "numbers"], "gives": "tensor",
        "diagonal": true, "scale": [1, 2], "added": [0.5, 0]}, )" +
           numbers + chosen + nets + "[" + layer("numbers/0") + ", " + layer("numbers/energy") +
           R"(]], "gives": "energy"})";
  };
  const std::string constants =
      doubles("numbers/0/matrix", {24, 5}) + doubles("numbers/0/bias", {5}) +
      doubles("numbers/8/matrix", {5, 8}) + doubles("numbers/8/bias", {8}) +
      doubles("numbers/7/matrix", {5, 7}) + doubles("numbers/7/bias", {7}) +
      doubles("numbers/energy/matrix", {5, 1}) + doubles("numbers/energy/bias", {1});
  const std::string good = stages("[true, false]", "[40]", "8"), whole = constants + golden();
  CHECK(load(with_plan(good, constants)) != nullptr);
  CHECK(is_refused(with_plan(stages("[true]", "[40]", "8"), constants), "one for each type"));
  CHECK(is_refused(with_plan(stages("[true, true]", "[40]", "8"), constants),
                   "`nets` of a stage must be 2 for 2 types, got 1"));
  CHECK(is_refused(with_plan(stages("[true, false]", "[0]", "8"), constants), "at least 1"));
  CHECK(is_refused(with_plan(stages("[true, false]", "[1, 1]", "8"), constants), "one for each"));
  CHECK(is_refused(with_plan(stages("[true, false]", "[40]", "7"), constants),
                   "numbers of 8 axes must be 8, got 7"));
  const std::string json = json_with_plan(good);
  const Outcomes outcomes = exchanged(json, json.rfind("\"plan\""), whole, 300);
  CHECK(outcomes.evaluated > 10 && outcomes.refused > 50);
}

TEST(gates_and_empty_places) {
  const auto sums = [](const std::string& columns) {
    const std::string one = net("descriptor/embedding_0_0"), more = ", " + one;
    return R"({"kernel": "gated_network_sum", "takes": "rows", "gives": "sums", "columns": )" +
           columns + R"(, "activation": "tanh", "curve": "descriptor/curve", "gate": "gate",
               "sel": "descriptor/sel", "empty": "descriptor/empty", "nets": [)" +
           one + more + more + more + "]}, ";
  };
  const auto places = [](const std::string& takes) {
    return R"({"kernel": "empty_places", "gives": "all", "places": "places",
               "counted": "counted", "value": "value", "takes": ")" +
           takes + R"("})";
  };
  const std::string constants = doubles("places", {2}) + doubles("counted", {2, 2}) +
                                doubles("value", {2, 1000}) + doubles("gate", {2, 2, 8}) +
                                doubles("few", {2, 1});
  const std::string radial = R"({"kernel": "environment", "gives": "rows", "columns": 1,
      "rcut_smth": 1, "rcut": 4, "mean": "few", "stddev": "few"}, )";
  const std::string rows = environment() + ", ";
  CHECK(is_refused(with_plan(radial + sums("1") + places("sums"), constants),
                   "a sum with gates must take rows of 4 columns"));
  CHECK(is_refused(with_plan(rows + places("rows"), constants),
                   "empty places must be added to sums of atoms"));
  CHECK(is_refused(with_plan(rows + sums("4") + places("sums"), constants),
                   "`value` of a stage must have rows of at most 32 numbers, got 1000"));
}

TEST(attention) {
  const auto pairs = [](const std::string& nets, const std::string& more = "") {
    return R"({"kernel": "pair_network", "takes": "rows", "gives": "values", "activation": "tanh",
        "curve": "descriptor/curve", "nets": [)" +
           nets + "]" + more + "}, ";
  };
  const auto sums = [](const std::string& taken, const std::string& epsilon = "0.001") {
    const auto part = [](const std::string& name) {
      return "\"" + name + "\": " + layer("attention/" + name);
    };
    return R"({"kernel": "attention_sum", "gives": "sums", "places": 40, "dotr": true,
        "diagonal": true, "curve": "descriptor/curve", "share": {"rcut_smth": 1,
        "mean": "descriptor/mean", "stddev": "descriptor/stddev"}, "takes": [)" +
           taken + "], \"epsilon\": " + epsilon + ", \"layers\": [{" + part("query") + ", " +
           part("key") + ", " + part("value") + ", " + part("output") +
           R"(, "scale": "attention/scale", "shift": "attention/shift"}]}, )";
  };
  std::string constants = doubles("attention/output/matrix", {3, 8}) + doubles("few", {2, 1}) +
                          doubles("attention/output/bias", {8}) + doubles("attention/scale", {8}) +
                          doubles("attention/shift", {8}) + doubles("biases", {4, 4}) +
                          node("none", tensor(kDouble, "", {0, 4}));
  for (const std::string name : {"query", "key", "value"}) {
    constants += doubles("attention/" + name + "/matrix", {8, 3});
    constants += doubles("attention/" + name + "/bias", {3});
  }
  const std::string one = net("descriptor/embedding_0_0"), rows = environment() + ", ";
  const std::string both = R"("values", "rows")", shared = R"(, "first_bias": "biases")";
  const std::string whole = rows + pairs(one, shared) + sums(both) + energies();
  const Model model = load(with_plan(whole, constants));
  CHECK(model != nullptr && evaluate(model.get()));
  const std::string json = json_with_plan(whole);
  const Outcomes outcomes = exchanged(json, json.rfind("\"plan\""), constants + golden(), 300);
  CHECK(outcomes.evaluated > 5 && outcomes.refused > 50);
  const std::string radial = R"({"kernel": "environment", "gives": "rows", "columns": 1,
      "rcut_smth": 1, "rcut": 4, "mean": "few", "stddev": "few"}, )";
  const auto refused = [&](const std::string& stages, const std::string& part) {
    return is_refused(with_plan(without_comma(stages), constants), part);
  };
  CHECK(
      refused(rows + pairs(one, shared) + sums(both, "0"), "`epsilon` of a stage must be positi"));
  CHECK(refused(rows + pairs(one, shared) + sums(R"("values")"),
                "attention must take values and rows of pairs, got 1 values"));
  CHECK(refused(rows + pairs(one, shared) + sums(R"("rows", "values")"),
                "attention must take values and rows of 4 columns of the same pairs"));
  CHECK(refused(radial + pairs(one, R"(, "share": {"rcut_smth": 1})"),
                "shares of pairs must come from rows of 4 columns"));
  CHECK(refused(rows + pairs(one + ", " + one, shared),
                "`nets` of a stage with `first_bias` must be one, got 2"));
  CHECK(refused(rows + pairs(one, R"(, "first_bias": "none")"),
                "`first_bias` of a stage must be of a curve, got none"));
}

TEST(nets_of_triples) {
  const auto sums = [](const std::string& nets) {
    return R"({"kernel": "triple_network_sum", "takes": "rows", "gives": "descriptor",
        "activation": "tanh", "shares": "shares", "nets": [)" +
           nets + "]}";
  };
  const std::string one = net("descriptor/embedding_0_0"), constants = doubles("shares", {5});
  CHECK(is_refused(with_plan(environment() + ", " + sums(one), constants),
                   "a sum over triples must have 5 nets for 2 types, got 1"));
}

TEST(local_frames) {
  const auto frames = [](const std::string& sel_a, const std::string& axis,
                         const std::string& stddev = "stddev") {
    const std::string texts = R"(["a must be", "b must be", "c must be"])";
    const std::string rules = "[" + axis + R"(, {"places": [0, 1, 2], "rank": 1}])";
    return R"({"lacks": [)" + texts + ", " + texts +
           R"(], "kernel": "local_frames", "gives": "descriptor", "rcut": 3.5, "sel_a": )" + sel_a +
           R"(, "sel_r": [4, 4], "mean": "mean", "stddev": ")" + stddev + R"(", "rules": [)" +
           rules + ", " + rules + "]}, ";
  };
  const std::string constants =
      doubles("mean", {2, 24}) + doubles("stddev", {2, 24}) + doubles("flat", {2, 24}, 0);
  const std::string nearest = R"({"places": [0, 1, 2], "rank": 0})";
  const std::string whole = frames("[3, 1]", nearest) + energies(" ");
  const Model model = load(with_plan(whole, constants));
  CHECK(model != nullptr && evaluate(model.get()));
  const std::string json = json_with_plan(whole);
  const Outcomes outcomes =
      exchanged(json, json.rfind("\"kernel\": \"local"), constants + golden(), 300);
  CHECK(outcomes.evaluated > 20 && outcomes.refused > 50);
  const auto refused = [&](const std::string& stages, const std::string& part) {
    return is_refused(with_plan(without_comma(stages), constants), part);
  };
  CHECK(refused(frames("[3]", nearest), "`sel_a` of a stage must be of 2 types, got 1"));
  CHECK(
      refused(frames("[3, -1]", nearest), "`sel_a` of a stage must be from 0 to 1048576, got -1"));
  CHECK(refused(frames("[3, 1]", R"({"places": [12], "rank": 0})"),
                "`places` of an axis must rise from 0 to below 12, got 12"));
  CHECK(refused(frames("[3, 1]", R"({"places": [1, 1], "rank": 0})"), "must rise from 0"));
  CHECK(refused(frames("[3, 1]", R"({"places": [1], "rank": -1})"),
                "`rank` of an axis must be from 0 to 1048576, got -1"));
  CHECK(refused(frames("[3, 1]", nearest, "flat"), "`stddev` of local frames must be positive"));
}

TEST(fitting_nets_with_vectors_of_types) {
  const std::string product = R"({"kernel": "fitting_net", "takes": "sums", "gives": "energy",
      "activation": "tanh", "types": "vectors", "constant": "fitting/constant", "nets": [)";
  const std::string sums = R"({"kernel": "network_sum", "takes": "rows", "gives": "sums",
      "columns": 4, "activation": "tanh", "curve": "descriptor/curve", "sel": "descriptor/sel",
      "empty": "descriptor/empty", "nets": [)";
  const std::string one = net("descriptor/embedding_0_0"),
                    four = one + ", " + one + ", " + one + ", " + one + "]}, ";
  const std::string two = net("fitting/type_0") + ", " + net("fitting/type_1") + "]}";
  CHECK(is_refused(
      with_plan(environment() + ", " + sums + four + product + two, doubles("vectors", {2, 3})),
      "`nets` of a stage must be 1 for 2 types, got 2"));
}

TEST(values_that_are_too_wide) {
  const std::string sums = R"({"kernel": "embedding_sum", "takes": "rows", "gives": "sums",
      "columns": 4, "width": 1048576, "segments": 1, "near": 0, "nodes": "nodes", "node_row": "row",
      "grid": "grid", "curve": "one", "sel": "descriptor/sel", "empty": "descriptor/empty"})";
  const std::string product = R"({"kernel": "moment_product", "takes": "sums", "gives": "product",
      "axis": 1048576, "places": 1})";
  const std::string constants = doubles("nodes", {2, 2, 1048576}) + doubles("grid", {1, 2}) +
                                integers("row", std::string("\0\2", 2), {2}) +
                                integers("one", std::string(1, '\0'), {2, 2});
  CHECK(is_refused(with_plan(environment() + ", " + sums + ", " + product, constants),
                   "a value of a plan must have from 1 to 16777216 numbers of each atom or pair, "
                   "got 1099511627776 of product"));
}

TEST(stages_reach_as_far_as_the_model) {
  CHECK(is_refused(with_plan(environment("4.5")),
                   "`rcut` of a stage must be at most 4.000000, that of the model, got 4.500000"));
}
