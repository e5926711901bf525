// Which slope meets which element: the collapsed shapes against plain index arithmetic, on random
// shapes and random stretches.

#include <algorithm>
#include <random>

#include "cpu/slopes_oracle.h"
#include "fakes/cases.h"

namespace onnx_acts {
namespace {

void CheckShapes(const Sizes& x, const Sizes& slope, std::mt19937& random) {
  CHECK(BroadcastsTo(slope.data(), slope.size(), x.data(), x.size()), "x %s, slope %s",
        Text(x).c_str(), Text(slope).c_str());
  const int64_t count = Product(x);
  std::uniform_int_distribution<int64_t> position(0, count);
  const int64_t a = position(random), b = position(random);
  TestStretch<uint32_t>(x, slope, 0, count);
  TestStretch<uint16_t>(x, slope, std::min(a, b), std::max(a, b));
  TestStretch<uint64_t>(x, slope, std::min(a, b), std::max(a, b));
}

TEST(RandomShapes, "each element meets its slope, in shapes and stretches at random") {
  std::mt19937 random(20);
  const int64_t sizes[] = {1, 1, 2, 3, 4, 5, 7, 16, 65};
  for (int round = 0; round < 1500; ++round) {
    Sizes x(random() % 7);
    for (int64_t& size : x) size = Product(x) > 20000 ? 1 : sizes[random() % 9];
    for (int64_t& size : x) size = std::max<int64_t>(size, 1);
    if (Product(x) > 60000) continue;
    Sizes slope(x.end() - static_cast<std::ptrdiff_t>(random() % (x.size() + 1)), x.end());
    for (int64_t& size : slope) size = random() % 2 == 0 ? 1 : size;
    CheckShapes(x, slope, random);
  }
}

// One for each way of serving slopes.
TEST(KnownShapes, "each element meets its slope in the shapes of real networks") {
  std::mt19937 random(21);
  const Sizes rows[][2] = {
      {{2, 64, 10, 10}, {64, 1, 1}},  // per channel, long runs
      {{2, 200, 7, 7}, {200, 1, 1}},  // per channel, short runs, long period
      {{3, 5, 2, 2}, {5, 1, 1}},      // short period
      {{500, 3}, {3}},                // last dimension
      {{4, 1500}, {1500}},            // long last dimension
      {{40, 40}, {40, 40}},           // full
      {{40, 40}, {}},                 // scalar
      {{}, {}},                       // rank 0
      {{2, 2, 2, 2, 2, 2, 2, 2, 2, 2}, {2, 1, 2, 1, 2, 1, 2, 1, 2}},  // nothing collapses
  };
  for (const auto& row : rows) CheckShapes(row[0], row[1], random);
}

TEST(RefusedShapes, "slopes that would not broadcast are refused") {
  const Sizes rows[][2] = {{{3}, {2, 3}}, {{2, 3}, {2}}, {{2, 1}, {3}}, {{2, 3}, {0}}, {{}, {1}}};
  for (const auto& row : rows) {
    CHECK(!BroadcastsTo(row[1].data(), row[1].size(), row[0].data(), row[0].size()),
          "x %s, slope %s", Text(row[0]).c_str(), Text(row[1]).c_str());
  }
}

}  // namespace
}  // namespace onnx_acts

int main(int count, char** arguments) { return RunTests(count, arguments); }
