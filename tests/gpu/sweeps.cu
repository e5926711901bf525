// ELU against double arithmetic, on the device: every negative float, a sample
// of double.

#include <cmath>

#include "harness.h"

namespace onnx_acts::gpu {
namespace {

constexpr uint32_t kStep = 1u << 26;

__global__ void FillFloats(float* x, uint32_t first_bits, uint32_t count) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) x[i] = BitCast<float>(first_bits + i);
}

// The largest error in units in the last place, as the bits of a float, which
// are ordered.
__global__ void WorstFloat(const float* x, const float* y, uint32_t count, float alpha,
                           unsigned long long* worst) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const double exact = static_cast<double>(alpha) * expm1(static_cast<double>(x[i]));
  const int exponent = exact == 0 ? -126 : max(ilogb(exact), -126);
  const double unit = scalbn(1.0, exponent - 23);
  const double error = fabs(static_cast<double>(y[i]) - exact) / unit;
  const auto bits = static_cast<unsigned long long>(BitCast<uint32_t>(static_cast<float>(error)));
  atomicMax(worst, bits << 32 | BitCast<uint32_t>(x[i]));
}

// Negative doubles of every exponent down to 2^-60, most of them between -40
// and 0.
__global__ void FillDoubles(double* x, uint32_t count, uint64_t seed) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const PhiloxBlock random = PhiloxForElements(seed, i);
  const double u = (random.word[0] + random.word[1] * 0x1p-32) * 0x1p-32;
  x[i] = i % 2 == 0 ? -40 * u : -exp2(-60 * u) * (1 + random.word[2] * 0x1p-32);
}

uint32_t Blocks(uint32_t count) { return (count + 255) / 256; }

void SweepFloat(const device::Device& device, Report& report, float alpha, uint32_t stride) {
  const Memory x(kStep * sizeof(float)), y(kStep * sizeof(float)), worst(8);
  CUDA(cudaMemset(worst.data(), 0, 8));
  auto* xs = reinterpret_cast<float*>(x.data());
  auto* ys = reinterpret_cast<float*>(y.data());
  auto* found = reinterpret_cast<unsigned long long*>(worst.data());
  uint64_t tried = 0;
  for (uint64_t bits = 0x80000001u; bits <= 0xff800000u; bits += uint64_t{kStep} * stride) {
    const auto count = static_cast<uint32_t>(std::min<uint64_t>(kStep, 0xff800001u - bits));
    FillFloats<<<Blocks(count), 256>>>(xs, static_cast<uint32_t>(bits), count);
    device::RunUniform(Functor::kElu, Element::kFloat32, {xs, ys, count, alpha, alpha},
                       {device, nullptr});
    WorstFloat<<<Blocks(count), 256>>>(xs, ys, count, alpha, found);
    CUDA(cudaGetLastError());
    tried += count;
  }
  unsigned long long packed = 0;
  CUDA(cudaMemcpy(&packed, found, 8, cudaMemcpyDeviceToHost));
  const double error = BitCast<float>(static_cast<uint32_t>(packed >> 32));
  const double at = BitCast<float>(static_cast<uint32_t>(packed));
  report.Add(Format("\"what\": \"accuracy\", \"operator\": \"ELU\", \"type\": "
                    "\"float32\","
                    " \"alpha\": %.9g, \"elements\": %llu, \"max_ulp\": %.4f, "
                    "\"at\": %.9g",
                    static_cast<double>(alpha), static_cast<unsigned long long>(tried), error, at),
             error <= 1);
}

// The oracle is the host's long double.
void SampleDouble(const device::Device& device, Report& report, double alpha) {
  constexpr uint32_t kCount = 1u << 22;
  const Memory x(kCount * sizeof(double)), y(kCount * sizeof(double));
  auto* xs = reinterpret_cast<double*>(x.data());
  FillDoubles<<<Blocks(kCount), 256>>>(xs, kCount, 77);
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
    if (error > worst) {
      worst = error;
      at = inputs[i];
    }
  }
  report.Add(Format("\"what\": \"accuracy\", \"operator\": \"ELU\", \"type\": "
                    "\"float64\","
                    " \"alpha\": %.17g, \"elements\": %u, \"max_ulp\": %.4f, "
                    "\"at\": %.17g",
                    alpha, kCount, worst, at),
             worst <= 1);
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
