// JSON as Python's json writes it, and what is no JSON.
#include <clocale>
#include <cmath>
#include <locale>
#include <string>

#include "check.h"
#include "engine/file/json.h"

using deeptf::Json;
using deeptf_test::throws;

namespace {

bool is_refused(const std::string& text, const std::string& part) {
  return throws([&] { Json::parse(text); }, part);
}

// A comma for the point in numbers, as in some countries.
struct Comma : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

}  // namespace

TEST(values) {
  const Json json = Json::parse(R"( {"a": [1, -2.5e3, 0], "b": {"c": null, "d": true, "e": false},
    "f": "text", "g": [], "h": {}} )");
  CHECK(json.members().size() == 5);
  CHECK(json.at("a").items().size() == 3);
  CHECK(json.at("a").items()[0].integer() == 1);
  CHECK(json.at("a").items()[1].number() == -2500);
  CHECK(json.at("b").at("c").is_null());
  CHECK(json.at("b").at("d").boolean() && !json.at("b").at("e").boolean());
  CHECK(json.at("f").text() == "text");
  CHECK(json.at("g").items().empty() && json.at("h").members().empty());
  CHECK(json.find("b") == &json.at("b") && json.find("z") == nullptr);
}

TEST(of_the_same_name_the_last_one_counts) {
  CHECK(Json::parse(R"({"a": 1, "a": [], "a": 3})").at("a").integer() == 3);
}

TEST(numbers) {
  CHECK(Json::parse("0.1").number() == 0.1);
  CHECK(Json::parse("-0").number() == 0 && std::signbit(Json::parse("-0").number()));
  CHECK(Json::parse("1.7976931348623157e308").number() == 1.7976931348623157e308);
  CHECK(Json::parse("5e-324").number() == 5e-324);
  CHECK(Json::parse("1E+2").number() == 100);
  CHECK(std::isnan(Json::parse("NaN").number()));
  CHECK(Json::parse("Infinity").number() == INFINITY);
  CHECK(Json::parse("-Infinity").number() == -INFINITY);
  CHECK(Json::parse("-1e999").number() == -INFINITY && Json::parse("1e-999").number() == 0);
  CHECK(Json::parse("9007199254740992").integer() == 9007199254740992);
  CHECK(Json::parse("3.0").integer() == 3);
}

TEST(numbers_do_not_depend_on_the_locale) {
  const std::locale old = std::locale::global(std::locale(std::locale(), new Comma));
  const char* named = std::setlocale(LC_NUMERIC, "de_DE.UTF-8");  // where the system has it
  CHECK(Json::parse("1.5").number() == 1.5);
  CHECK(Json::parse("12345.5").shown() == "12345.5");
  std::locale::global(old);
  if (named != nullptr) std::setlocale(LC_NUMERIC, "C");
}

TEST(texts) {
  CHECK(Json::parse(R"("\"\\\/\b\f\n\r\t")").text() == "\"\\/\b\f\n\r\t");
  CHECK(Json::parse(R"("\u0041\u00e9\u20AC\ud83d\ude00")").text() == u8"Aé€😀");
  CHECK(Json::parse("\"é€😀\x7f\"").text() == "é€😀\x7f");
  CHECK(Json::parse(R"("\u0000")").text() == std::string(1, '\0'));
  const std::string replacement = "\xEF\xBF\xBD";
  CHECK(Json::parse(R"("\ud83d")").text() == replacement);
  CHECK(Json::parse(R"("\ude00\ud83dx")").text() == replacement + replacement + "x");
  CHECK(Json::parse(R"("\ud83d\u0041")").text() == replacement + "A");
}

TEST(what_is_no_json) {
  for (const char* text : {"", " ", "{", "[1", "[1,", "{\"a\"", "{\"a\":", "{\"a\":1", "\"", "\"a",
                           "\"\\", "\"\\u12", "\"\\ud83d\\u", "-"}) {
    CHECK(is_refused(text, "got the end"));
  }
  for (const char* text : {"tru",     "nul",         "nan",
                           "-NaN",    "+1",          ".5",
                           "1.",      "1.e5",        "1e",
                           "1e+",     "01",          "0x1",
                           "1 2",     "[1 2]",       "[,]",
                           "[1,]",    "{,}",         "{\"a\":1,}",
                           "{1:2}",   "{\"a\" 1}",   "'a'",
                           "\"\\x\"", "\"\\u12g4\"", "\"a\nb\"",
                           "[1]]",    "--1",         "\xEF\xBB\xBF{}",
                           "//",      "Infinit"}) {
    CHECK(is_refused(text, "JSON must have "));
  }
  CHECK(is_refused("[1, x]", "JSON must have a value at byte 4, got `x]`"));
  CHECK(is_refused(std::string("1\0", 2), "JSON must have its end at byte 1"));
}

TEST(bytes_that_are_no_text) {
  for (const char* text :
       {"\x80", "\xC0\x80", "\xC3", "\xC3(", "\xE0\x80\x80", "\xE2\x82", "\xED\xA0\x80",
        "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFF"}) {
    CHECK(is_refused("\"" + std::string(text) + "\"", "JSON must be UTF-8 text, got other bytes"));
  }
}

TEST(depth) {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(Json::parse(nested(200)).items().size() == 1);
  CHECK(is_refused(nested(202), "JSON must have at most 200 levels"));
  CHECK(is_refused(std::string(1000000, '['), "at most 200 levels"));
  std::string objects;
  for (int k = 0; k < 100000; ++k) objects += "{\"a\":";
  CHECK(is_refused(objects, "at most 200 levels"));
}

TEST(another_kind_than_asked_for) {
  const Json json = Json::parse(R"({"a": [[1.5, "x"], null], "b": NaN, "c": {"d": 1e300}})");
  const Json& row = json.at("a").items()[0];
  const auto refuses = [](const auto& ask, const char* part) {
    return throws([&] { ask(); }, part);
  };
  CHECK(refuses([&] { json.number(); }, "the JSON must be a number, got an object of 3"));
  CHECK(refuses([&] { json.at("z"); }, "must be an object with the member `z`, got an object"));
  CHECK(refuses([&] { json.at("a").at("z"); }, "`a` must be an object, got a list of 2"));
  CHECK(refuses([&] { row.items()[0].integer(); }, "`a[0][0]` must be an integer, got 1.5"));
  CHECK(refuses([&] { row.items()[1].number(); }, "`a[0][1]` must be a number, got 'x'"));
  CHECK(refuses([&] { json.at("a").items()[1].text(); }, "`a[1]` must be a text, got null"));
  CHECK(refuses([&] { json.at("b").integer(); }, "`b` must be an integer, got nan"));
  CHECK(refuses([&] { json.at("b").boolean(); }, "`b` must be true or false, got nan"));
  CHECK(refuses([&] { json.at("b").items(); }, "`b` must be a list, got nan"));
  CHECK(refuses([&] { json.at("c").at("d").integer(); }, "`d` must be an integer, got 1"));
  CHECK(refuses([&] { json.find("a")->find("z"); }, "`a` must be an object"));
}

TEST(long_names_and_texts_are_cut_in_messages) {
  const std::string name(1000, 'n');
  const Json json = Json::parse("{\"" + name + "\": \"" + name + "\"}");
  const std::string cut = std::string(40, 'n') + "...";
  CHECK(throws([&] { json.at(name).number(); }, "`" + cut + "` must be a number, got '" + cut));
  CHECK(is_refused("[1 123456789é]", "at byte 3, got `123456789...`"));
}

TEST(damaged_text) {
  const std::string whole = R"({"a": [1.5, -2e-3, "\u00e9\n"], "b": {"c": [true, null, NaN]}})";
  std::mt19937 engine(1);
  int accepted = 0;
  for (int k = 0; k < 5000; ++k) {
    std::string text = whole;
    for (unsigned n = engine() % 3 + 1; n > 0; --n) {
      const size_t at = engine() % text.size();
      if (engine() % 2 == 0) {
        text[at] = whole[engine() % whole.size()];
      } else {
        text.erase(at, engine() % 4);
      }
    }
    try {
      Json::parse(text);
      ++accepted;
    } catch (const deeptf::Error& error) {
      CHECK(std::string(error.what()).rfind("JSON must ", 0) == 0);
    }
  }
  CHECK(100 < accepted && accepted < 4900);
}
