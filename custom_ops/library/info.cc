// What this library is, for `onnx-acts info`.

#include <string>
#include <vector>

#include "activations/op.h"
#include "cpu/isa.h"
#include "library/backends.h"
#include "library/export.h"
#include "ort/ort_abi.h"

namespace onnx_acts {
namespace {

// A JSON string. Part of one comes from an environment variable, which can hold anything.
std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c >= ' ' && c <= '~' ? c : '?';
  }
  return quoted + "\"";
}

std::string QuotedOrNull(const std::string& text) { return text.empty() ? "null" : Quoted(text); }

std::string List(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + Quoted(item);
  return "[" + text + "]";
}

std::string MakeInfo() {
  const IsaChoice& isa = ChooseIsa();
  std::vector<std::string> ops, elements;
  for (const OpSpec& spec : kOps) ops.push_back(spec.name);
  for (const QuantizedSpec& spec : kQuantizedOps) ops.push_back(spec.op.name);
  for (const ElementSpec& spec : kElements) elements.push_back(spec.name);
  std::string text = "{\"version\": " + Quoted(kLibraryVersion);
  text += ", \"domain\": " + Quoted(kDomain);
  text += ", \"isa\": " + QuotedOrNull(isa.level);
  text += ", \"isa_error\": " + QuotedOrNull(isa.error);
  text += ", \"isa_levels\": " + List(CompiledLevels());
  text += ", \"ops\": " + List(ops);
  text += ", \"element_types\": " + List(elements);
  const CudaInfo cuda = DescribeCuda();
  text += std::string(", \"cuda\": ") + (cuda.error.empty() ? "true" : "false");
  text += ", \"cuda_error\": " + QuotedOrNull(cuda.error);
  text += ", \"cuda_architectures\": " + List(cuda.architectures);
  text += ", \"ort_api_floor\": " + std::to_string(ort::kFloorVersion);
  return text + "}";
}

}  // namespace
}  // namespace onnx_acts

// A JSON object in static storage; null if there is no memory for it.
ONNX_ACTS_EXPORT const char* OnnxActsInfo() {
  try {
    static const std::string info = onnx_acts::MakeInfo();
    return info.c_str();
  } catch (...) {
    return nullptr;
  }
}
