// The entry point that brings the custom operators.

#include <string>

#include "cpu/isa.h"
#include "library/domain.h"
#include "library/export.h"
#include "ort/status.h"

namespace onnx_acts {
namespace {

// Adds the domain unless these options have it already, from here or from our execution provider:
// ONNX Runtime refuses to make a session from options that hold a domain twice.
void AddDomainOnce(const ort::Api* api, ort::SessionOptions* options, ort::CustomOpDomain* domain) {
  constexpr char kMark[] = "onnx_acts.registered";
  for (const char* mark : {kMark, kDomainFromProvider}) {
    int registered = 0;
    Check(ort::HasSessionConfigEntry(api, options, mark, &registered));
    if (registered != 0) return;
  }
  Check(ort::AddCustomOpDomain(api, options, domain));
  Check(ort::AddSessionConfigEntry(api, options, kMark, "1"));
}

// A runtime older than the floor: its oldest table has the slot that can say so.
ort::Status* RefuseOldRuntime(const ort::ApiBase* base) {
  const ort::Api* oldest = base->GetApi(1);
  if (oldest == nullptr) return nullptr;  // no way to tell; the ops stay unknown to the session
  return Guarded(oldest, [&] {
    throw std::runtime_error("onnx_acts " + std::string(kLibraryVersion) +
                             " needs ONNX Runtime 1." + std::to_string(ort::kFloorVersion) +
                             " or newer, this is ONNX Runtime " + base->GetVersionString() +
                             "; upgrade it: pip install --upgrade onnxruntime");
  });
}

}  // namespace
}  // namespace onnx_acts

ONNX_ACTS_EXPORT onnx_acts::ort::Status* RegisterCustomOps(onnx_acts::ort::SessionOptions* options,
                                                           const onnx_acts::ort::ApiBase* base) {
  using namespace onnx_acts;
  const ort::Api* api = base->GetApi(ort::kFloorVersion);
  if (api == nullptr) return RefuseOldRuntime(base);
  return Guarded(api, [&] {
    const IsaChoice& isa = ChooseIsa();
    if (isa.loops == nullptr) throw InvalidArgument("onnx_acts: " + isa.error);
    AddDomainOnce(api, options, DomainFor(base, api));
  });
}
