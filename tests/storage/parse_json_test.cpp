#include "storage/parse_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "storage/errors.h"
#include "storage/sealed_json.h"
#include "tests/storage/peak_memory.h"

namespace gan::storage {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Nested so deep that the innermost list is at `depth`, the object around it counted.
std::string Nested(int depth) {
  const auto lists = static_cast<std::size_t>(depth - 1);
  return "{\"a\":" + std::string(lists, '[') + std::string(lists, ']') + "}";
}

TEST(ParseJson, DepthIsBounded) {
  const nlohmann::json object = ParseJsonObject(Nested(kMaxJsonDepth), "m");
  EXPECT_EQ(nlohmann::json(object).dump(), Nested(kMaxJsonDepth));
  EXPECT_THAT([] { ParseJsonObject(Nested(kMaxJsonDepth + 1), "m"); },
              ThrowsMessage<DataError>(AllOf(HasSubstr("m at byte"), HasSubstr("deeper than 64"))));
  EXPECT_TRUE(IsModestJson(Nested(kMaxJsonDepth)));
  EXPECT_FALSE(IsModestJson(Nested(kMaxJsonDepth + 1)));
}

TEST(ParseJson, WhatIsNoJsonIsToldWithItsOffset) {
  EXPECT_THAT([] { ParseJson("{\"a\":}", "m", 100); },
              ThrowsMessage<DataError>(AllOf(HasSubstr("m at byte 106"), HasSubstr("is not JSON"))));
  EXPECT_THAT([] { ParseJson("[1e999]", "m"); }, ThrowsMessage<DataError>(HasSubstr("out of range")));
  EXPECT_THROW(ParseJson("", "m"), DataError);
}

TEST(ParseJson, OrderedJsonKeepsItsOrder) {
  EXPECT_EQ(ParseJson<nlohmann::ordered_json>(R"({"b":1,"a":2})", "m").dump(), R"({"b":1,"a":2})");
}

std::string Repeated(const std::string& item, std::size_t bytes) {
  std::string list = "{\"a\":[";
  while (list.size() < bytes) list += item + ",";
  return list + item + "]}";
}

// A manifest as it is written, with a long list of shards: far within the bound.
TEST(ParseJson, WhatIsWrittenHereIsWithinTheBound) {
  nlohmann::json shards = nlohmann::json::array();
  for (int i = 0; i < 50'000; ++i) {
    shards.push_back(
        {{"number", i}, {"records", 1}, {"bytes", 49'152}, {"digest", "xxh3-128:" + std::string(32, '0')}});
  }
  const std::string text = SealJson({{"shards", shards}, {"labels", std::vector<std::string>(10'000, "cat")}});
  RequireSealed(text, ParseJsonObject(text, "m"), "m");
}

TEST(ParseJsonDeathTest, MemoryFollowsFromTheSize) {
  for (const char* item : {"[]", "{}", "1", "\"\"", "[[]]"}) {
    const std::string text = Repeated(item, 16U << 20);
    EXPECT_EXIT(testing::ExitByPeak(12 * text.size(),
                                    [&] {
                                      try {
                                        ParseJsonObject(text, "m");
                                      } catch (const DataError&) {
                                      }
                                    }),
                ::testing::ExitedWithCode(0), "")
        << item;
  }
}

}  // namespace
}  // namespace gan::storage
