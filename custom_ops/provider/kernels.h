// The provider's kernels: the CPU's nodes, as the runtime's kernel registry holds them.
#ifndef ONNX_ACTS_KERNELS_H_
#define ONNX_ACTS_KERNELS_H_

#include "ort/ep_abi.h"
#include "provider/claims.h"

namespace onnx_acts {

constexpr char kProviderName[] = "OnnxActsExecutionProvider";

// What a kernel is made from. The runtime hands the pointer back.
struct KernelSource {
  const ort::Api* api;
  const Claim* claim;
};

// The registry with a kernel for each claim, for one runtime.
class Kernels {
 public:
  Kernels(const ort::Api* api, const ort::EpApi* ep_api);
  ~Kernels();
  Kernels(const Kernels&) = delete;
  Kernels& operator=(const Kernels&) = delete;

  const ort::KernelRegistry* registry() const { return registry_; }

 private:
  void Add(KernelSource* source);

  const ort::EpApi* ep_api_;
  ort::KernelRegistry* registry_ = nullptr;
  KernelSource sources_[kClaimCount];
};

}  // namespace onnx_acts

#endif  // ONNX_ACTS_KERNELS_H_
