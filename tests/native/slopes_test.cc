// Which slope meets which element: the collapsed shapes against plain index arithmetic, on random
// shapes and random stretches.

#include "slopes.h"

#include <algorithm>
#include <random>
#include <vector>

#include "check.h"

namespace onnx_acts {
namespace {

using Sizes = std::vector<int64_t>;

int64_t Product(const Sizes& sizes) {
  int64_t product = 1;
  for (const int64_t size : sizes) product *= size;
  return product;
}

// The slope's element for element `index` of x, dimension by dimension.
int64_t NaiveSlopeIndex(const Sizes& x, const Sizes& slope, int64_t index) {
  int64_t result = 0, stride = 1;
  for (std::size_t i = 1; i <= x.size(); ++i) {
    const int64_t at = index % x[x.size() - i];
    index /= x[x.size() - i];
    if (i > slope.size()) continue;
    const int64_t size = slope[slope.size() - i];
    if (size != 1) result += at * stride;
    stride *= size;
  }
  return result;
}

// Loops that compute y = x + slope on whole numbers, so that every mistake shows.
template <class T>
void AddOne(const void* x, const void* slope, void* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    static_cast<T*>(y)[i] =
        static_cast<T>(static_cast<const T*>(x)[i] + static_cast<const T*>(slope)[0]);
  }
}

template <class T>
void AddEach(const void* x, const void* slope, void* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    static_cast<T*>(y)[i] =
        static_cast<T>(static_cast<const T*>(x)[i] + static_cast<const T*>(slope)[i]);
  }
}

template <class T>
void TestStretch(const Sizes& x, const Sizes& slope, int64_t begin, int64_t end) {
  const SlopeLayout layout = CollapseShapes(slope.data(), slope.size(), x.data(), x.size());
  std::vector<T> slopes(static_cast<std::size_t>(Product(slope)));
  for (std::size_t i = 0; i < slopes.size(); ++i) slopes[i] = static_cast<T>(i + 1);
  const std::vector<T> input(static_cast<std::size_t>(Product(x)), T{0});
  std::vector<T> output(input.size(), T{0});
  const auto bytes = [](const std::vector<T>& v) {
    return reinterpret_cast<const char*>(v.data());
  };
  ApplySlopes({AddOne<T>, AddEach<T>, sizeof(T)}, layout, bytes(input), bytes(slopes),
              reinterpret_cast<char*>(output.data()), begin, end);
  for (int64_t i = 0; i < Product(x); ++i) {
    const bool inside = i >= begin && i < end;
    const auto expected = static_cast<T>(inside ? NaiveSlopeIndex(x, slope, i) + 1 : 0);
    CHECK(output[static_cast<std::size_t>(i)] == expected, "element %lld of %lld",
          static_cast<long long>(i), static_cast<long long>(Product(x)));
  }
}

void TestShapes(const Sizes& x, const Sizes& slope, std::mt19937& random) {
  CHECK(BroadcastsTo(slope.data(), slope.size(), x.data(), x.size()), "rank %zu", x.size());
  const int64_t count = Product(x);
  std::uniform_int_distribution<int64_t> position(0, count);
  const int64_t a = position(random), b = position(random);
  TestStretch<uint32_t>(x, slope, 0, count);
  TestStretch<uint16_t>(x, slope, std::min(a, b), std::max(a, b));
  TestStretch<uint64_t>(x, slope, std::min(a, b), std::max(a, b));
}

void TestRandomShapes() {
  std::mt19937 random(20);
  const int64_t sizes[] = {1, 1, 2, 3, 4, 5, 7, 16, 65};
  for (int round = 0; round < 1500; ++round) {
    Sizes x(random() % 7);
    for (int64_t& size : x) size = Product(x) > 20000 ? 1 : sizes[random() % 9];
    for (int64_t& size : x) size = std::max<int64_t>(size, 1);
    if (Product(x) > 60000) continue;
    Sizes slope(x.end() - static_cast<std::ptrdiff_t>(random() % (x.size() + 1)), x.end());
    for (int64_t& size : slope) size = random() % 2 == 0 ? 1 : size;
    TestShapes(x, slope, random);
  }
}

// The patterns of real networks, one for each way of serving slopes.
void TestKnownShapes() {
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
  for (const auto& row : rows) TestShapes(row[0], row[1], random);
}

void TestRefusedShapes() {
  const Sizes rows[][2] = {{{3}, {2, 3}}, {{2, 3}, {2}}, {{2, 1}, {3}}, {{2, 3}, {0}}, {{}, {1}}};
  for (const auto& row : rows) {
    CHECK(!BroadcastsTo(row[1].data(), row[1].size(), row[0].data(), row[0].size()), "row");
  }
}

}  // namespace
}  // namespace onnx_acts

int main() {
  onnx_acts::TestRandomShapes();
  onnx_acts::TestKnownShapes();
  onnx_acts::TestRefusedShapes();
  return FailureCount() != 0;
}
