// The custom operators as ONNX Runtime sees them.

#include "library/domain.h"

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

#include "activations/op.h"
#include "cpu/quantized_node.h"
#include "library/backends.h"
#include "ort/status.h"
#include "ort/tensor.h"

namespace onnx_acts {
namespace {

// Makes the node of an operator; Element is that of X where X is in floating point.
struct Maker {
  NodeMaker make;
  Element element;
};

// An operator for one element type and execution provider. The runtime hands the pointer back to
// every callback.
struct Op : ort::CustomOp {
  const OpSpec* spec;
  ort::ElementType types[kMaxInputs];  // of the inputs; the outputs have X's
  const char* provider;
  Maker maker;
  const ort::Api* api;
};

const Op& Self(const ort::CustomOp* op) { return *static_cast<const Op*>(op); }

const char* GetName(const ort::CustomOp* op) { return Self(op).spec->name; }
const char* GetExecutionProviderType(const ort::CustomOp* op) { return Self(op).provider; }
ort::ElementType GetInputType(const ort::CustomOp* op, std::size_t i) { return Self(op).types[i]; }
ort::ElementType GetOutputType(const ort::CustomOp* op, std::size_t) { return Self(op).types[0]; }
ort::MemoryType GetMemoryType(const ort::CustomOp*, std::size_t) { return ort::kDefaultMemory; }
int One(const ort::CustomOp*) { return 1; }

std::size_t GetInputCount(const ort::CustomOp* op) {
  return static_cast<std::size_t>(Self(op).spec->input_count);
}

std::size_t GetOutputCount(const ort::CustomOp* op) {
  return static_cast<std::size_t>(Self(op).spec->output_count);
}

ort::Characteristic GetInputCharacteristic(const ort::CustomOp*, std::size_t) {
  return ort::kRequired;
}

ort::Characteristic GetOutputCharacteristic(const ort::CustomOp*, std::size_t index) {
  return index == 0 ? ort::kRequired : ort::kOptional;
}

ort::Status* CreateKernel(const ort::CustomOp* op, const ort::Api* api, const ort::KernelInfo* info,
                          void** kernel) {
  const Op& self = Self(op);
  return Guarded(api,
                 [&] { *kernel = self.maker.make(*self.spec, self.maker.element, api, info); });
}

// The kernel carries its own table: sessions of two runtimes in one process stay apart.
ort::Status* ComputeKernel(void* kernel, ort::KernelContext* context) {
  const AnyNode& self = *static_cast<const AnyNode*>(kernel);
  return Guarded(self.api(), [&] { self.Compute(context); });
}

void DestroyKernel(void* kernel) { delete static_cast<AnyNode*>(kernel); }

// Tells whether every size is a number or has a name. The runtime shows a size of which it knows
// nothing as -1 without a name, and would take that -1 back as a size: Shape would give it, Slice
// would abort the process.
bool IsEverySizeKnown(const ort::Api* api, const ort::TensorTypeAndShapeInfo* tensor) {
  const Shape shape(api, tensor);
  std::vector<const char*> names(shape.rank());
  Check(ort::GetSymbolicDimensions(api, tensor, names.data(), names.size()));
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    const bool is_named = names[i] != nullptr && names[i][0] != '\0';
    if (shape.sizes()[i] < 0 && !is_named) return false;
  }
  return true;
}

// Y and the noise have X's shape; sizes with names keep them. The runtime shows an unknown rank as
// 0 dimensions, so nothing is said where there are none, nor where a size is not known: there is no
// way to say the others. (It ignores a status from here: impossible shapes are refused when the
// kernel is made.)
// Y alone: the context cannot say whether the node has the second output, and up to 1.23 at least
// the runtime writes past the end of its list where it has not.
void InferShapesOrThrow(const Op& op, ort::ShapeInferContext* context) {
  ort::TensorTypeAndShapeInfo* x = nullptr;  // the context keeps it
  Check(ort::ShapeInferContext_GetInputTypeShape(op.api, context, 0, &x));
  std::size_t rank = 0;
  Check(ort::GetDimensionsCount(op.api, x, &rank));
  if (rank == 0 || !IsEverySizeKnown(op.api, x)) return;
  Check(ort::ShapeInferContext_SetOutputTypeShape(op.api, context, 0, x));
}

ort::Status* InferShapes(const ort::CustomOp* op, ort::ShapeInferContext* context) {
  return Guarded(Self(op).api, [&] { InferShapesOrThrow(Self(op), context); });
}

// The output may overwrite X: element by element, nothing is read after it is written.
std::size_t GetMayInplace(int** input_index, int** output_index) {
  static int first = 0;
  *input_index = &first;
  *output_index = &first;
  return 1;
}

void ReleaseIndices(int*, int*) {}
std::size_t GetNoAliases(int**, int**) { return 0; }

AnyNode* MakeQuantizedNode(const OpSpec& spec, Element, const ort::Api* api,
                           const ort::KernelInfo* info) {
  return new QuantizedNode(spec, api, info);
}

// For one runtime: all but the types of the inputs.
Op MakeOp(const OpSpec& spec, Maker maker, const char* provider, const ort::Api* api,
          uint32_t version) {
  Op op = {};
  op.version = version;
  op.GetName = GetName;
  op.GetExecutionProviderType = GetExecutionProviderType;
  op.GetInputType = GetInputType;
  op.GetInputTypeCount = GetInputCount;
  op.GetOutputType = GetOutputType;
  op.GetOutputTypeCount = GetOutputCount;
  op.KernelDestroy = DestroyKernel;
  op.GetInputCharacteristic = GetInputCharacteristic;
  op.GetOutputCharacteristic = GetOutputCharacteristic;
  op.GetInputMemoryType = GetMemoryType;
  op.GetVariadicInputMinArity = One;
  op.GetVariadicInputHomogeneity = One;
  op.GetVariadicOutputMinArity = One;
  op.GetVariadicOutputHomogeneity = One;
  op.CreateKernelV2 = CreateKernel;
  op.KernelComputeV2 = ComputeKernel;
  op.InferOutputShapeFn = InferShapes;
  op.GetMayInplace = GetMayInplace;
  op.ReleaseMayInplace = ReleaseIndices;
  op.GetAliasMap = GetNoAliases;
  op.ReleaseAliasMap = ReleaseIndices;
  op.spec = &spec;
  op.provider = provider;
  op.maker = maker;
  op.api = api;
  return op;
}

// In floating point all inputs have one type.
Op MakeFloatOp(const OpSpec& spec, Element element, const Backend& backend, const ort::Api* api,
               uint32_t version) {
  Op op = MakeOp(spec, {backend.make_node, element}, backend.provider, api, version);
  for (ort::ElementType& type : op.types) {
    type = static_cast<ort::ElementType>(SpecOf(element).onnx_type);
  }
  return op;
}

// On the CPU alone.
Op MakeQuantizedOp(const QuantizedSpec& spec, const ort::Api* api, uint32_t version) {
  Op op = MakeOp(spec.op, {MakeQuantizedNode, {}}, "CPUExecutionProvider", api, version);
  for (std::size_t i = 0; i < kMaxInputs; ++i) {
    op.types[i] = static_cast<ort::ElementType>(spec.input_types[i]);
  }
  return op;
}

// The domain with its operators, for one runtime. The runtime keeps pointers into it.
struct Library {
  const ort::Api* api;
  ort::CustomOpDomain* domain;
  Op ops[kOpCount * kElementCount * kMaxBackends + kQuantizedOpCount];
};

void AddOps(Library& library, uint32_t version) {
  ort::CustomOpDomain* domain = nullptr;
  Check(ort::CreateCustomOpDomain(library.api, kDomain, &domain));
  Released<ort::CustomOpDomain> owner(library.api, domain);
  Op* next = library.ops;
  const auto add = [&](const Op& op) {
    *next = op;
    Check(ort::CustomOpDomain_Add(library.api, domain, next++));
  };
  for (const OpSpec& spec : kOps) {
    for (int element = 0; element < kElementCount; ++element) {
      for (const Backend& backend : Backends()) {
        add(MakeFloatOp(spec, static_cast<Element>(element), backend, library.api, version));
      }
    }
  }
  for (const QuantizedSpec& spec : kQuantizedOps) add(MakeQuantizedOp(spec, library.api, version));
  library.domain = owner.Keep();
}

}  // namespace

// The minor number of "1.minor.patch". (Asking GetApi for a table that the runtime lacks would make
// it print a complaint.)
uint32_t MinorVersion(const ort::ApiBase* base) {
  const char* version = base->GetVersionString();
  const char* dot = std::strchr(version, '.');
  return dot == nullptr ? 0 : static_cast<uint32_t>(std::strtoul(dot + 1, nullptr, 10));
}

// Made once for each runtime in the process; nearly always there is one. Static storage without
// destructors: sessions may outlive static objects.
ort::CustomOpDomain* DomainFor(const ort::ApiBase* base, const ort::Api* api) {
  static std::mutex mutex;
  static Library libraries[4];
  const std::lock_guard<std::mutex> lock(mutex);
  for (Library& library : libraries) {
    if (library.domain == nullptr) {
      const bool in_place = MinorVersion(base) >= ort::kInPlaceVersion;
      library.api = api;
      AddOps(library, in_place ? ort::kInPlaceVersion : ort::kFloorVersion);
    }
    if (library.api == api) return library.domain;
  }
  throw InvalidArgument("onnx_acts: too many different ONNX Runtimes in one process; expected 4");
}

}  // namespace onnx_acts
