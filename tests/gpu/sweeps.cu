// ELU against double arithmetic, on the device: every negative float, a sample of double.

#include <algorithm>
#include <cmath>

#include "harness.h"

namespace onnx_acts::gpu {
namespace {

__global__ void FillFloats(float* x, uint32_t first_bits, uint32_t count) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) x[i] = BitCast<float>(first_bits + i);
}

// The largest error in units in the last place, as the bits of a float, which are ordered.
__global__ void WorstFloat(const float* x, const float* y, uint32_t count, float alpha,
                           unsigned long long* worst) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const double exact = static_cast<double>(alpha) * expm1(static_cast<double>(x[i]));
  const int exponent = exact == 0 ? -126 : Greater(ilogb(exact), -126);
  const double unit = scalbn(1.0, exponent - 23);
  const double error = fabs(static_cast<double>(y[i]) - exact) / unit;
  const auto bits = static_cast<unsigned long long>(BitCast<uint32_t>(static_cast<float>(error)));
  atomicMax(worst, bits << 32 | BitCast<uint32_t>(x[i]));
}

// Negative doubles of every exponent down to 2^-60, most of them between -40 and 0.
__global__ void FillDoubles(double* x, uint32_t count, uint64_t seed) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const PhiloxBlock random = PhiloxForElements(seed, i);
  const double u = (random.word[0] + random.word[1] * 0x1p-32) * 0x1p-32;
  x[i] = i % 2 == 0 ? -40 * u : -exp2(-60 * u) * (1 + random.word[2] * 0x1p-32);
}

void AddAccuracy(Report& report, Element element, double alpha, uint64_t tried, double worst,
                 double at) {
  report.Add({{"what", "accuracy"},
              {"operator", "ELU"},
              {"type", NameOf(element)},
              {"alpha", alpha},
              {"elements", tried},
              {"max_ulp", worst},
              {"at", at}},
             worst <= 1);
}

void SweepFloat(const device::Device& device, Report& report, float alpha, uint32_t stride) {
  const Memory x(kAmount.sweep * sizeof(float)), y(kAmount.sweep * sizeof(float)), worst(8);
  CUDA(cudaMemset(worst.data(), 0, 8));
  auto* xs = reinterpret_cast<float*>(x.data());
  auto* ys = reinterpret_cast<float*>(y.data());
  auto* found = reinterpret_cast<unsigned long long*>(worst.data());
  const uint64_t step = uint64_t{kAmount.sweep} * kAmount.sweep_skip * stride;
  uint64_t tried = 0;
  for (uint64_t bits = 0x80000001u; bits <= 0xff800000u; bits += step) {
    const auto count = static_cast<uint32_t>(std::min<uint64_t>(kAmount.sweep, 0xff800001u - bits));
    Launch(FillFloats, count, xs, static_cast<uint32_t>(bits), count);
    device::RunUniform(Functor::kElu, Element::kFloat32, {xs, ys, count, alpha, alpha},
                       {device, nullptr});
    Launch(WorstFloat, count, xs, ys, count, alpha, found);
    tried += count;
  }
  unsigned long long packed = 0;
  CUDA(cudaMemcpy(&packed, found, 8, cudaMemcpyDeviceToHost));
  const double error = BitCast<float>(static_cast<uint32_t>(packed >> 32));
  const double at = BitCast<float>(static_cast<uint32_t>(packed));
  AddAccuracy(report, Element::kFloat32, alpha, tried, error, at);
}

// The oracle is the host's long double.
void SampleDouble(const device::Device& device, Report& report, double alpha) {
  constexpr uint32_t kCount = kAmount.doubles;
  const Memory x(kCount * sizeof(double)), y(kCount * sizeof(double));
  auto* xs = reinterpret_cast<double*>(x.data());
  Launch(FillDoubles, kCount, xs, kCount, 77);
  device::RunUniform(Functor::kElu, Element::kFloat64,
                     {xs, y.data(), kCount, static_cast<float>(alpha), alpha}, {device, nullptr});
  std::vector<double> inputs(kCount), outputs(kCount);
  CUDA(cudaMemcpy(inputs.data(), xs, kCount * sizeof(double), cudaMemcpyDeviceToHost));
  CUDA(cudaMemcpy(outputs.data(), y.data(), kCount * sizeof(double), cudaMemcpyDeviceToHost));
  double worst = 0, at = 0;
  for (uint32_t i = 0; i < kCount; ++i) {
    if (!(inputs[i] < 0)) continue;
    const long double exact = alpha * expm1l(static_cast<long double>(inputs[i]));
    const long double unit = ldexpl(1, std::max(ilogbl(exact), -1022) - 52);
    const auto error = static_cast<double>(fabsl(outputs[i] - exact) / unit);
    if (error > worst || (std::isnan(error) && !std::isnan(worst))) {  // NaN stays
      worst = error;
      at = inputs[i];
    }
  }
  AddAccuracy(report, Element::kFloat64, alpha, kCount, worst, at);
}

}  // namespace

void SweepElu(const device::Device& device, Report& report) {
  SweepFloat(device, report, 1.0f, 1);
  SweepFloat(device, report, 1.67326319f, 1);
  SweepFloat(device, report, 0.7f, 3);
  SampleDouble(device, report, 1.0);
  SampleDouble(device, report, 1.6732632423543772);
}

}  // namespace onnx_acts::gpu
