// Philox against the known answers that its authors publish with Random123.

#include "activations/philox.h"

#include "fakes/cases.h"

namespace onnx_acts {
namespace {

struct KnownAnswer {
  PhiloxBlock counter;
  uint32_t key[2];
  PhiloxBlock output;
};

constexpr KnownAnswer kKnownAnswers[] = {
    {{{0, 0, 0, 0}}, {0, 0}, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}},
    {{{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}},
     {0xffffffff, 0xffffffff},
     {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}},
    {{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
     {0xa4093822, 0x299f31d0},
     {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}},
};

TEST(KnownAnswers, "Philox gives the words that its authors publish") {
  for (const KnownAnswer& row : kKnownAnswers) {
    const PhiloxBlock output =
        Philox(row.counter, PhiloxKeysOf(row.key[0] | uint64_t{row.key[1]} << 32));
    for (int i = 0; i < 4; ++i) {
      CHECK(output.word[i] == row.output.word[i], "word %d: %08x", i, output.word[i]);
    }
  }
}

TEST(Elements, "the seed's halves are the key, the block's the first words of the counter") {
  const PhiloxBlock by_element = PhiloxForElements(0x299f31d0a4093822u, 0x85a308d3243f6a88u);
  const PhiloxBlock by_hand =
      Philox({{0x243f6a88, 0x85a308d3, 0, 0}}, PhiloxKeysOf(0x299f31d0a4093822u));
  for (int i = 0; i < 4; ++i) CHECK(by_element.word[i] == by_hand.word[i], "word %d", i);
}

TEST(Range, "a draw lies between its bounds and below the upper one") {
  CHECK(UniformDraw(0, 0.125, 0.5) == 0.125, "lower end");
  CHECK(UniformDraw(0xffffffff, 0.125, 0.5) < 0.625, "upper end");
  CHECK(UniformDraw(0x80000000, 0.125, 0.5) == 0.375, "middle");
}

}  // namespace
}  // namespace onnx_acts

int main(int count, char** arguments) { return RunTests(count, arguments); }
