#include "checkpoint/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "storage/errors.h"
#include "tests/checkpoint/small_checkpoint.h"
#include "tests/storage/peak_memory.h"

namespace gan::checkpoint {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::string Tensor(const std::string& name, const std::string& shape, const std::string& offsets,
                   const std::string& dtype = "U8") {
  return "\"" + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

void ExpectRefused(const std::string& header, std::size_t data_bytes, const std::string& words) {
  const std::string file = Safetensors(header, data_bytes);
  EXPECT_THAT([&] { Decode(file); }, ThrowsMessage<DataError>(AllOf(HasSubstr("part at byte "), HasSubstr(words))))
      << header;
}

TEST(Safetensors, ComesBackAsItWasWritten) {
  const std::vector<TensorView> written = SmallRequest(1).tensors;
  std::string file = EncodeHeader(written);
  EXPECT_EQ(file.size() % 8, 0U);
  for (const TensorView& t : written) file.append(reinterpret_cast<const char*>(t.data.data()), t.data.size());
  const std::vector<TensorView> read = Decode(file);
  ASSERT_EQ(read.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read[i].name, written[i].name);
    EXPECT_EQ(read[i].dtype, written[i].dtype);
    EXPECT_EQ(read[i].shape, written[i].shape);
    EXPECT_TRUE(std::ranges::equal(read[i].data, written[i].data));
  }
}

TEST(Safetensors, MetadataAndEmptyTensorsAreAccepted) {
  const std::string file = Safetensors(
      R"({"__metadata__":{"format":"pt"},)" + Tensor("a", "[0]", "[0,0]") + "," + Tensor("b", "[3]", "[0,3]") + "}", 3);
  EXPECT_EQ(Decode(file).size(), 2U);
}

TEST(Safetensors, LengthOfTheHeaderBeyondTheFileOrTheCapIsRefused) {
  for (const std::uint64_t length :
       {std::uint64_t{3}, kMaxHeaderBytes + 1, ~std::uint64_t{0}, std::uint64_t{1} << 63}) {
    const std::string file = std::string(reinterpret_cast<const char*>(&length), sizeof length) + "{}";
    EXPECT_THAT([&] { Decode(file); }, ThrowsMessage<DataError>(HasSubstr("part at byte 0"))) << length;
  }
  EXPECT_THROW(Decode("1234567"), DataError);
  EXPECT_THROW(Decode(""), DataError);
}

TEST(Safetensors, HeaderAboveTheCapIsRefusedThoughTheFileHoldsIt) {
  ExpectRefused("{}" + std::string(kMaxHeaderBytes, ' '), 0, "limit");
}

TEST(Safetensors, HeaderThatIsNoJsonObjectIsRefused) {
  for (const char* header : {"", "[]", "1", "{", "{\"a\":}", "nul", "\"\xff\"", "{\"a\":1e999}"}) {
    ExpectRefused(header, 0, "header");
  }
}

TEST(Safetensors, KeyThatStandsTwiceIsRefused) {
  ExpectRefused("{" + Tensor("a", "[1]", "[0,1]") + "," + Tensor("a", "[1]", "[1,2]") + "}", 2, "names a twice");
  ExpectRefused(R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1, "names dtype twice");
}

TEST(Safetensors, OverlapIsRefused) {
  ExpectRefused("{" + Tensor("a", "[2]", "[0,2]") + "," + Tensor("b", "[2]", "[1,3]") + "}", 3, "overlap");
  ExpectRefused("{" + Tensor("a", "[2]", "[0,2]") + "," + Tensor("b", "[2]", "[0,2]") + "}", 2, "overlap");
}

TEST(Safetensors, HoleIsRefused) {
  ExpectRefused("{" + Tensor("a", "[1]", "[0,1]") + "," + Tensor("b", "[1]", "[2,3]") + "}", 3, "hole");
  ExpectRefused("{" + Tensor("a", "[1]", "[1,2]") + "}", 2, "hole");
}

TEST(Safetensors, BytesLeftOverAreRefused) {
  ExpectRefused("{" + Tensor("a", "[1]", "[0,1]") + "}", 2, "left over");
  ExpectRefused("{}", 1, "left over");
}

TEST(Safetensors, OffsetsOutsideTheFileOrReversedAreRefused) {
  for (const char* offsets :
       {"[0,2]", "[1,0]", "[0,9223372036854775807]", "[9223372036854775806,9223372036854775807]"}) {
    ExpectRefused("{" + Tensor("a", "[1]", offsets) + "}", 1, "outside the file");
  }
}

TEST(Safetensors, NumbersThatAreNoCountsAreRefused) {
  for (const char* number :
       {"-1", "0.5", "1e3", "\"1\"", "null", "18446744073709551615", "18446744073709551616", "[1]"}) {
    const std::string text = number;
    ExpectRefused("{" + Tensor("a", "[" + text + "]", "[0,1]") + "}", 1, "non-negative integer");
    ExpectRefused("{" + Tensor("a", "[1]", "[0," + text + "]") + "}", 1, "non-negative integer");
  }
  ExpectRefused("{" + Tensor("a", "[1]", "[0,1,1]") + "}", 1, "two offsets");
  ExpectRefused("{" + Tensor("a", "1", "[0,1]") + "}", 1, "array");
  ExpectRefused("{" + Tensor("a", "[1]", "{\"0\":0}") + "}", 1, "array");
}

TEST(Safetensors, ShapeWhoseSizeWrapsIsRefused) {
  ExpectRefused("{" + Tensor("a", "[4294967296,4294967296]", "[0,0]") + "}", 0, "impossible shape");
  ExpectRefused("{" + Tensor("a", "[4611686018427387904,4]", "[0,0]", "F32") + "}", 0, "impossible shape");
  ExpectRefused("{" + Tensor("a", "[2]", "[0,1]") + "}", 1, "another size than its shape");
}

TEST(Safetensors, UnknownTypeAndMissingFieldAreRefused) {
  ExpectRefused("{" + Tensor("a", "[1]", "[0,1]", "F7") + "}", 1, "unknown type F7");
  ExpectRefused(R"({"a":{"dtype":"U8","shape":[1]}})", 1, "data_offsets");
  ExpectRefused(R"({"a":5})", 1, "header");
  ExpectRefused(R"({"a":null})", 1, "header");
}

TEST(Safetensors, EveryTypeOfTheFormatIsUnderstood) {
  const std::pair<const char*, std::size_t> types[] = {
      {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"BOOL", 8}, {"U8", 8},   {"I8", 8},    {"F8_E5M2", 8},
      {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"I16", 16},    {"U16", 16}, {"F16", 16}, {"BF16", 16}, {"I32", 32},
      {"U32", 32},    {"F32", 32},    {"C64", 64},    {"F64", 64}, {"I64", 64}, {"U64", 64}};
  for (const auto& [type, bits] : types) {
    const std::string file =
        Safetensors("{" + Tensor("a", "[8]", "[0," + std::to_string(bits) + "]", type) + "}", bits);
    EXPECT_EQ(Decode(file).size(), 1U) << type;
  }
  ExpectRefused("{" + Tensor("a", "[3]", "[0,1]", "F4") + "}", 1, "within a byte");
}

TEST(Safetensors, NestingJustAboveTheLimitIsRefused) {
  const auto nested = [](std::size_t depth) {
    const std::string lists = std::string(depth - 1, '[') + std::string(depth - 1, ']');
    return R"({"__metadata__":)" + lists + "," + Tensor("a", "[1]", "[0,1]") + "}";
  };
  EXPECT_EQ(Decode(Safetensors(nested(64), 1)).size(), 1U);
  ExpectRefused(nested(65), 1, "deeper than 64");
}

TEST(Safetensors, FieldsAndMetadataThatAreNotKnownArePassedOver) {
  const std::string file = Safetensors(
      R"({"__metadata__":{"a":{"b":[1,null,"x"]}},"a":{"new":{"x":[1.5,-2]},"dtype":"U8","shape":[1],"data_offsets":[0,1],)"
      R"("more":null}})",
      1);
  ASSERT_EQ(Decode(file).size(), 1U);
  EXPECT_EQ(Decode(file)[0].shape, std::vector<std::int64_t>{1});
}

TEST(Safetensors, MoreDimensionsThanAnybodyHasAreRefused) {
  std::string shape = "[1";
  for (int i = 1; i < 64; ++i) shape += ",1";
  EXPECT_EQ(Decode(Safetensors("{" + Tensor("a", shape + "]", "[0,1]") + "}", 1)).size(), 1U);
  ExpectRefused("{" + Tensor("a", shape + ",1]", "[0,1]") + "}", 1, "dimensions");
}

TEST(SafetensorsDeathTest, AHeaderOfManySmallValuesTakesMemoryInProportion) {
  constexpr std::size_t kBytes = 16U << 20;
  std::string lists, shape = "[1", tensors = "{" + Tensor("a", "[0]", "[0,0]");
  while (lists.size() < kBytes) lists += "[],";
  while (shape.size() < kBytes) shape += ",1";
  for (int i = 0; tensors.size() < kBytes; ++i) tensors += "," + Tensor(std::to_string(i), "[0]", "[0,0]");
  for (const std::string& header :
       {"{\"__metadata__\":[" + lists + "1]}", "{" + Tensor("a", shape + "]", "[0,1]") + "}", tensors + "}"}) {
    const std::string file = Safetensors(header, 0);
    EXPECT_EXIT(gan::testing::ExitByPeak(8 * file.size(),
                                         [&] {
                                           try {
                                             Decode(file);
                                           } catch (const DataError&) {
                                           }
                                         }),
                ::testing::ExitedWithCode(0), "")
        << header.substr(0, 40);
  }
}

// Deep nesting must not overflow the stack.
TEST(Safetensors, DeepNestingIsRefused) {
  ExpectRefused("{\"a\":" + std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}", 0, "header");
}

}  // namespace
}  // namespace gan::checkpoint
