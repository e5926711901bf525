// Which slope meets which element, by plain index arithmetic, and the check of ApplySlopes against
// it.
#ifndef ONNX_ACTS_TESTS_SLOPES_ORACLE_H_
#define ONNX_ACTS_TESTS_SLOPES_ORACLE_H_

#include <vector>

#include "cpu/slopes.h"
#include "fakes/check.h"
#include "fakes/sizes.h"

namespace onnx_acts {

// The slope's element for element `index` of x, dimension by dimension.
inline int64_t NaiveSlopeIndex(const Sizes& x, const Sizes& slope, int64_t index) {
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

// Elements [begin, end), and nothing outside.
template <class T>
void TestStretch(const Sizes& x, const Sizes& slope, int64_t begin, int64_t end) {
  const SlopeLayout layout = CollapseShapes(slope.data(), slope.size(), x.data(), x.size());
  std::vector<T> slopes(static_cast<std::size_t>(Product(slope)));
  for (std::size_t i = 0; i < slopes.size(); ++i) slopes[i] = static_cast<T>(i + 1);
  std::vector<T> input(static_cast<std::size_t>(Product(x)));
  for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<T>(i * 40503);
  std::vector<T> output(input.size(), T{0});
  const auto bytes = [](const std::vector<T>& v) {
    return reinterpret_cast<const char*>(v.data());
  };
  ApplySlopes({AddOne<T>, AddEach<T>, sizeof(T), nullptr}, layout, bytes(input), bytes(slopes),
              reinterpret_cast<char*>(output.data()), begin, end);
  for (int64_t i = 0; i < Product(x); ++i) {
    const bool inside = i >= begin && i < end;
    const T sum = static_cast<T>(i * 40503 + NaiveSlopeIndex(x, slope, i) + 1);
    const T expected = inside ? sum : T{0};
    CHECK(output[static_cast<std::size_t>(i)] == expected, "element %lld, x %s, slope %s",
          static_cast<long long>(i), Text(x).c_str(), Text(slope).c_str());
  }
}

}  // namespace onnx_acts

#endif  // ONNX_ACTS_TESTS_SLOPES_ORACLE_H_
