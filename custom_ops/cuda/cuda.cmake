# ONNX_ACTS_CUDA: AUTO builds the CUDA kernels where a CUDA compiler works, ON makes one without
# them an error, OFF leaves them out. Defines onnx_acts_cuda, which the library links, if they are in.
set(ONNX_ACTS_CUDA "AUTO" CACHE STRING "CUDA kernels: AUTO, ON or OFF")
set_property(CACHE ONNX_ACTS_CUDA PROPERTY STRINGS AUTO ON OFF)
set(ONNX_ACTS_CUDA_ARCHITECTURES "" CACHE STRING
    "Compute capabilities times ten, such as 80;90; empty: those of onnx-acts that nvcc knows")
set(ONNX_ACTS_CUDA_DEFAULT 75 80 86 89 90 100 120)

# Sets ONNX_ACTS_NVCC_WORKS. CMake's own test stops the build for a compiler that does not work, so
# a small project is tried first.
function(onnx_acts_find_nvcc)
  if(NOT DEFINED ENV{CUDACXX} AND NOT CMAKE_CUDA_COMPILER)
    find_program(ONNX_ACTS_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda
                 PATH_SUFFIXES bin)
    if(ONNX_ACTS_NVCC)
      set(ENV{CUDACXX} ${ONNX_ACTS_NVCC})
    endif()
  endif()
  # The compiler from PyPI has its libraries in lib, and looks for them in lib64.
  get_filename_component(folder "$ENV{CUDACXX}" DIRECTORY)
  if(EXISTS ${folder}/../lib/libcudart_static.a AND NOT EXISTS ${folder}/../lib64)
    set(ENV{LIBRARY_PATH} "${folder}/../lib:$ENV{LIBRARY_PATH}")
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  set(CMAKE_CUDA_COMPILER ${CMAKE_CUDA_COMPILER} CACHE FILEPATH "CUDA compiler")
endfunction()

# The capabilities to compile for, in `result`; the compiler's list ends the default one.
function(onnx_acts_cuda_architectures result)
  if(ONNX_ACTS_CUDA_ARCHITECTURES)
    set(${result} ${ONNX_ACTS_CUDA_ARCHITECTURES} PARENT_SCOPE)
    return()
  endif()
  execute_process(COMMAND ${CMAKE_CUDA_COMPILER} --list-gpu-code OUTPUT_VARIABLE known
                  ERROR_QUIET)
  set(chosen "")
  foreach(architecture ${ONNX_ACTS_CUDA_DEFAULT})
    if(known MATCHES "sm_${architecture}[^0-9a-z]")
      list(APPEND chosen ${architecture})
    endif()
  endforeach()
  if(NOT chosen)
    message(FATAL_ERROR "${CMAKE_CUDA_COMPILER} compiles for none of ${ONNX_ACTS_CUDA_DEFAULT};"
                        " name others with -DONNX_ACTS_CUDA_ARCHITECTURES=...")
  endif()
  set(${result} ${chosen} PARENT_SCOPE)
endfunction()

if(NOT ONNX_ACTS_CUDA)
  message(STATUS "CUDA kernels: left out (ONNX_ACTS_CUDA=${ONNX_ACTS_CUDA})")
  return()
endif()
onnx_acts_find_nvcc()
if(NOT CMAKE_CUDA_COMPILER)
  if(NOT ONNX_ACTS_CUDA STREQUAL "AUTO")
    message(FATAL_ERROR "ONNX_ACTS_CUDA=${ONNX_ACTS_CUDA}, but no working CUDA compiler was found;"
                        " put nvcc on PATH, name it in CUDACXX, or pass -DONNX_ACTS_CUDA=OFF")
  endif()
  message(STATUS "CUDA kernels: left out, there is no working CUDA compiler")
  return()
endif()

set(CMAKE_CUDA_ARCHITECTURES OFF)  # until they are known: the compiler has a default of its own
enable_language(CUDA)
find_package(Threads REQUIRED)
find_library(ONNX_ACTS_CUDART cudart_static REQUIRED
             HINTS ${CMAKE_CUDA_IMPLICIT_LINK_DIRECTORIES})
include(cuda/licence.cmake)
onnx_acts_install_cuda_licence(${ONNX_ACTS_CUDART})
add_library(onnx_acts_cuda_runtime INTERFACE)
target_link_libraries(onnx_acts_cuda_runtime INTERFACE ${ONNX_ACTS_CUDART} Threads::Threads
                                                       ${CMAKE_DL_LIBS} rt)
onnx_acts_cuda_architectures(architectures)
list(JOIN architectures ", " text)
file(CONFIGURE OUTPUT ${generated}/cuda_architectures.inc CONTENT "${text}\n" @ONLY)
message(STATUS "CUDA kernels: ${CMAKE_CUDA_COMPILER_VERSION}, for ${text}")
list(GET architectures -1 newest)
list(TRANSFORM architectures APPEND "-real" OUTPUT_VARIABLE code)

# Flags of every target with CUDA sources. As on the CPU, sums of products are fused where the text
# says so (Fma) and nowhere else, which makes the same bits. -Wconversion and -Wpedantic do not suit
# what nvcc generates.
function(onnx_acts_set_cuda_flags target)
  add_dependencies(${target} onnx_acts_table)
  set_target_properties(${target} PROPERTIES
    CUDA_ARCHITECTURES "${code};${newest}-virtual" CUDA_STANDARD 17 CUDA_STANDARD_REQUIRED ON
    CUDA_EXTENSIONS OFF CUDA_RUNTIME_LIBRARY Static POSITION_INDEPENDENT_CODE ON
    CUDA_VISIBILITY_PRESET hidden)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR} ${generated})
  target_compile_definitions(
    ${target} PRIVATE $<TARGET_PROPERTY:onnx_acts_flags,INTERFACE_COMPILE_DEFINITIONS>)
  target_compile_options(
    ${target} PRIVATE --threads=2 --fmad=false -Xcompiler=-Wall,-Wextra,-fno-math-errno
    $<$<BOOL:${ONNX_ACTS_WERROR}>:-Werror=all-warnings>)
endfunction()

add_library(onnx_acts_cuda OBJECT cuda/loop_cuda.cu)
onnx_acts_set_cuda_flags(onnx_acts_cuda)
