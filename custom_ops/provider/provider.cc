#include "provider/provider.h"

#include <string>
#include <vector>

#include "ort/status.h"
#include "provider/claims.h"

namespace onnx_acts {
namespace {

// The runtime puts this before the names of a provider's options.
constexpr char kOption[] = "ep.onnxactsexecutionprovider.claim";

std::string Option(const ort::Api* api, const ort::SessionOptions* options) {
  int is_there = 0;
  Check(ort::HasSessionConfigEntry(api, options, kOption, &is_there));
  if (is_there == 0) return "default";
  std::size_t size = 0;  // with the terminating zero
  Check(ort::GetSessionConfigEntry(api, options, kOption, nullptr, &size));
  std::string value(size, '\0');
  Check(ort::GetSessionConfigEntry(api, options, kOption, value.data(), &size));
  return value.c_str();
}

bool ClaimsAll(const std::string& option) {
  if (option == "all") return true;
  if (option == "default") return false;
  throw InvalidArgument(std::string(kProviderName) + ": option claim is '" + option +
                        "'; expected 'default' or 'all'");
}

}  // namespace

Provider::Provider(const ort::Api* api, const ort::EpApi* ep_api, const Kernels& kernels,
                   const ort::SessionOptions* options)
    : ort::Ep{},
      api_(api),
      ep_api_(ep_api),
      kernels_(kernels),
      all_(ClaimsAll(Option(api, options))) {
  version = ort::kProviderVersion;
  GetName = Name;
  GetCapability = Claims;
  GetKernelRegistry = Registry;
}

ort::Status* Provider::Claims(ort::Ep* self, const ort::Graph* graph, ort::GraphSupportInfo* info) {
  const Provider& provider = *static_cast<const Provider*>(self);
  return Guarded(provider.api_, [&] { provider.ClaimNodes(graph, info); });
}

ort::Status* Provider::Registry(ort::Ep* self, const ort::KernelRegistry** registry) {
  *registry = static_cast<const Provider*>(self)->kernels_.registry();
  return nullptr;
}

void Provider::ClaimNodes(const ort::Graph* graph, ort::GraphSupportInfo* info) const {
  std::size_t count = 0;
  Check(ort::Graph_GetNumNodes(api_, graph, &count));
  std::vector<const ort::Node*> nodes(count);
  Check(ort::Graph_GetNodes(api_, graph, nodes.data(), count));
  for (const ort::Node* node : nodes) {
    if (!IsClaimed(api_, node, all_)) continue;
    const ort::KernelDef* found = nullptr;  // the runtime keeps it
    Check(ort::EpGraphSupportInfo_LookUpKernel(ep_api_, info, node, &found));
    if (found != nullptr) Check(ort::EpGraphSupportInfo_AddSingleNode(ep_api_, info, node));
  }
}

}  // namespace onnx_acts
