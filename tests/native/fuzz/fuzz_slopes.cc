// Fuzz target: any pair of shapes, any stretch of elements, each element size.

#include <algorithm>
#include <cstdlib>

#include "cpu/slopes_oracle.h"
#include "fuzz/fuzz_input.h"

namespace onnx_acts {
namespace {

// The rule of ONNX, dimension by dimension.
bool NaiveBroadcasts(const Sizes& slope, const Sizes& x) {
  for (std::size_t i = 1; i <= slope.size(); ++i) {
    if (i > x.size()) return false;
    const int64_t a = slope[slope.size() - i], b = x[x.size() - i];
    if (a >= 0 && b >= 0 && a != 1 && a != b) return false;
  }
  return true;
}

bool CheckBroadcast(const Sizes& slope, const Sizes& x) {
  const bool found = BroadcastsTo(slope.data(), slope.size(), x.data(), x.size());
  CHECK(found == NaiveBroadcasts(slope, x), "ranks %zu and %zu", slope.size(), x.size());
  return found;
}

void TestOne(FuzzInput input) {
  CheckBroadcast(input.HostileShape(), input.HostileShape());
  const Sizes x = input.SmallShape(input.OneIn(8) ? 20000 : 3000);
  const Sizes slope = input.SlopeShape(x);
  const bool known =
      std::all_of(slope.begin(), slope.end(), [](int64_t size) { return size >= 0; });
  const int64_t count = Product(x);
  if (!CheckBroadcast(slope, x) || !known || count == 0) return;
  const int64_t a = input.Below(65536) % (count + 1), b = input.Below(65536) % (count + 1);
  const int64_t begin = input.OneIn(4) ? 0 : std::min(a, b), end = std::max(a, b);
  switch (input.Below(3)) {
    case 0:
      return TestStretch<uint16_t>(x, slope, begin, end);
    case 1:
      return TestStretch<uint32_t>(x, slope, begin, end);
    default:
      return TestStretch<uint64_t>(x, slope, begin, end);
  }
}

}  // namespace
}  // namespace onnx_acts

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, std::size_t count) {
  onnx_acts::TestOne({bytes, count});
  if (FailureCount() != 0) std::abort();
  return 0;
}
