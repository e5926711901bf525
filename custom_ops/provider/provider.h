// The execution provider of one session.
#ifndef ONNX_ACTS_PROVIDER_H_
#define ONNX_ACTS_PROVIDER_H_

#include "ort/ep_abi.h"
#include "provider/kernels.h"

namespace onnx_acts {

class Provider : public ort::Ep {
 public:
  // Reads its option from the session's. Throws InvalidArgument where it has another value.
  Provider(const ort::Api* api, const ort::EpApi* ep_api, const Kernels& kernels,
           const ort::SessionOptions* options);

 private:
  static const char* Name(const ort::Ep*) { return kProviderName; }
  static ort::Status* Claims(ort::Ep* self, const ort::Graph* graph, ort::GraphSupportInfo* info);
  static ort::Status* Registry(ort::Ep* self, const ort::KernelRegistry** registry);

  void ClaimNodes(const ort::Graph* graph, ort::GraphSupportInfo* info) const;

  const ort::Api* api_;
  const ort::EpApi* ep_api_;
  const Kernels& kernels_;
  bool all_;  // claims what the CPU provider has kernels for, too
};

}  // namespace onnx_acts

#endif  // ONNX_ACTS_PROVIDER_H_
