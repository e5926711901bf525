// The slice of ONNX Runtime's C ABI that this library meets, declared by hand: the runtime's wheels
// ship no headers. OrtApi is a table of function pointers that only ever grows, so a slot number
// holds for every runtime of at least the API version in which the slot appeared.
// tests/native/library/abi_check.cc compares all of this with the official header where one is at
// hand.
#ifndef ONNX_ACTS_ORT_ABI_H_
#define ONNX_ACTS_ORT_ABI_H_

#include <cstddef>
#include <cstdint>

namespace onnx_acts::ort {

// The oldest C API that this library asks for (ONNX Runtime 1.17), and the one that adds in-place
// hints (1.18).
constexpr uint32_t kFloorVersion = 17;
constexpr uint32_t kInPlaceVersion = 18;

// Opaque types.
struct Allocator;
struct CustomOpDomain;
struct KernelContext;
struct KernelInfo;
struct SessionOptions;
struct ShapeInferContext;
struct Status;
struct TensorTypeAndShapeInfo;
struct TypeInfo;
struct Value;

// The table, indexed by slot.
struct Api {
  void (*slots[1])();
};

struct ApiBase {
  const Api* (*GetApi)(uint32_t version);  // null where the runtime is older
  const char* (*GetVersionString)();
};

enum ErrorCode : int { kFail = 1, kInvalidArgument = 2 };

enum ElementType : int {
  kUndefined = 0,
  kFloat = 1,
  kUint8 = 2,
  kFloat16 = 10,
  kDouble = 11,
  kBFloat16 = 16,
};

enum Characteristic : int { kRequired = 0, kOptional = 1 };
enum MemoryType : int { kDefaultMemory = 0 };

// A typed view of one slot of a table: `GetInput(api, context, 0, &value)`.
template <int kSlotNumber, class Signature, class Table = Api>
struct Slot;

template <int kSlotNumber, class Table, class Result, class... Args>
struct Slot<kSlotNumber, Result(Args...), Table> {
  static constexpr std::size_t kOffset = kSlotNumber * sizeof(void*);

  Result operator()(const Table* api, Args... args) const {
    const auto table = api->slots + kSlotNumber;
    return reinterpret_cast<Result (*)(Args...)>(*table)(args...);
  }
};

// Since API 1, unless said. A function that returns Status* returns null for success.
constexpr Slot<0, Status*(ErrorCode, const char*)> CreateStatus;
constexpr Slot<1, ErrorCode(const Status*)> GetErrorCode;
constexpr Slot<2, const char*(const Status*)> GetErrorMessage;
constexpr Slot<26, Status*(const char*, CustomOpDomain**)> CreateCustomOpDomain;
constexpr Slot<27, Status*(CustomOpDomain*, const struct CustomOp*)> CustomOpDomain_Add;
constexpr Slot<28, Status*(SessionOptions*, CustomOpDomain*)> AddCustomOpDomain;
constexpr Slot<51, Status*(Value*, void**)> GetTensorMutableData;
constexpr Slot<55, Status*(const TypeInfo*, const TensorTypeAndShapeInfo**)>
    CastTypeInfoToTensorInfo;
constexpr Slot<60, Status*(const TensorTypeAndShapeInfo*, ElementType*)> GetTensorElementType;
constexpr Slot<61, Status*(const TensorTypeAndShapeInfo*, std::size_t*)> GetDimensionsCount;
constexpr Slot<62, Status*(const TensorTypeAndShapeInfo*, int64_t*, std::size_t)> GetDimensions;
constexpr Slot<63, Status*(const TensorTypeAndShapeInfo*, const char**, std::size_t)>
    GetSymbolicDimensions;
constexpr Slot<64, Status*(const TensorTypeAndShapeInfo*, std::size_t*)> GetTensorShapeElementCount;
constexpr Slot<65, Status*(const Value*, TensorTypeAndShapeInfo**)> GetTensorTypeAndShape;
constexpr Slot<78, Status*(Allocator**)> GetAllocatorWithDefaultOptions;
constexpr Slot<85, Status*(const KernelInfo*, const char*, float*)> KernelInfoGetAttribute_float;
constexpr Slot<86, Status*(const KernelInfo*, const char*, int64_t*)> KernelInfoGetAttribute_int64;
constexpr Slot<87, Status*(const KernelInfo*, const char*, char*, std::size_t*)>
    KernelInfoGetAttribute_string;
constexpr Slot<89, Status*(const KernelContext*, std::size_t*)> KernelContext_GetOutputCount;
constexpr Slot<90, Status*(const KernelContext*, std::size_t, const Value**)>
    KernelContext_GetInput;
constexpr Slot<91, Status*(KernelContext*, std::size_t, const int64_t*, std::size_t, Value**)>
    KernelContext_GetOutput;
constexpr Slot<93, void(Status*)> ReleaseStatus;
constexpr Slot<96, void(Value*)> ReleaseValue;
constexpr Slot<98, void(TypeInfo*)> ReleaseTypeInfo;
constexpr Slot<99, void(TensorTypeAndShapeInfo*)> ReleaseTensorTypeAndShapeInfo;
constexpr Slot<101, void(CustomOpDomain*)> ReleaseCustomOpDomain;
// API 5.
constexpr Slot<130, Status*(SessionOptions*, const char*, const char*)> AddSessionConfigEntry;
// API 8.
constexpr Slot<162, Status*(const KernelInfo*, const char*, float*, std::size_t*)>
    KernelInfoGetAttributeArray_float;
constexpr Slot<163, Status*(const KernelInfo*, const char*, int64_t*, std::size_t*)>
    KernelInfoGetAttributeArray_int64;
// API 10.
constexpr Slot<193, Status*(const KernelContext*, void**)> KernelContext_GetGPUComputeStream;
// API 14.
constexpr Slot<234, Status*(const KernelInfo*, std::size_t, TypeInfo**)>
    KernelInfo_GetInputTypeInfo;
constexpr Slot<236, Status*(const KernelInfo*, const char*, Allocator*, Value**)>
    KernelInfoGetAttribute_tensor;
constexpr Slot<237, Status*(const SessionOptions*, const char*, int*)> HasSessionConfigEntry;
constexpr Slot<238, Status*(const SessionOptions*, const char*, char*, std::size_t*)>
    GetSessionConfigEntry;
// API 15.
constexpr Slot<244, Status*(const KernelInfo*, char*, std::size_t*)> KernelInfo_GetNodeName;
constexpr Slot<249, Status*(const KernelInfo*, std::size_t, int*, const Value**)>
    KernelInfoGetConstantInput_tensor;
// API 17.
constexpr Slot<268, Status*(const ShapeInferContext*, std::size_t, TensorTypeAndShapeInfo**)>
    ShapeInferContext_GetInputTypeShape;
constexpr Slot<270, Status*(ShapeInferContext*, std::size_t, const TensorTypeAndShapeInfo*)>
    ShapeInferContext_SetOutputTypeShape;
constexpr Slot<274, Status*(const KernelContext*, void (*)(void*, std::size_t), std::size_t,
                            std::size_t, void*)>
    KernelContext_ParallelFor;

// A custom operator: callbacks that the runtime reads up to `version`. Members that this library
// leaves null are declared as plain function pointers.
struct CustomOp {
  uint32_t version;
  void (*CreateKernel)();
  const char* (*GetName)(const CustomOp*);
  const char* (*GetExecutionProviderType)(const CustomOp*);
  ElementType (*GetInputType)(const CustomOp*, std::size_t);
  std::size_t (*GetInputTypeCount)(const CustomOp*);
  ElementType (*GetOutputType)(const CustomOp*, std::size_t);
  std::size_t (*GetOutputTypeCount)(const CustomOp*);
  void (*KernelCompute)();
  void (*KernelDestroy)(void* kernel);
  Characteristic (*GetInputCharacteristic)(const CustomOp*, std::size_t);
  Characteristic (*GetOutputCharacteristic)(const CustomOp*, std::size_t);
  MemoryType (*GetInputMemoryType)(const CustomOp*, std::size_t);
  int (*GetVariadicInputMinArity)(const CustomOp*);
  int (*GetVariadicInputHomogeneity)(const CustomOp*);
  int (*GetVariadicOutputMinArity)(const CustomOp*);
  int (*GetVariadicOutputHomogeneity)(const CustomOp*);
  Status* (*CreateKernelV2)(const CustomOp*, const Api*, const KernelInfo*, void** kernel);
  Status* (*KernelComputeV2)(void* kernel, KernelContext*);
  Status* (*InferOutputShapeFn)(const CustomOp*, ShapeInferContext*);
  int (*GetStartVersion)(const CustomOp*);
  int (*GetEndVersion)(const CustomOp*);
  // API 18.
  std::size_t (*GetMayInplace)(int** input_index, int** output_index);
  void (*ReleaseMayInplace)(int* input_index, int* output_index);
  std::size_t (*GetAliasMap)(int** input_index, int** output_index);
  void (*ReleaseAliasMap)(int* input_index, int* output_index);
};

static_assert(sizeof(void*) == 8, "the slot numbers were read off 64-bit headers");
static_assert(offsetof(CustomOp, CreateKernelV2) == 136, "layout of OrtCustomOp");
static_assert(offsetof(CustomOp, GetMayInplace) == 176, "layout of OrtCustomOp");
static_assert(sizeof(CustomOp) == 208, "layout of OrtCustomOp");

}  // namespace onnx_acts::ort

#endif  // ONNX_ACTS_ORT_ABI_H_
