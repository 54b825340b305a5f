# etc_library(NAME sources... DEPENDS tablegen-targets... LINK libraries...)
#
# A static library with the project's precompiled header. MLIR itself is linked
# once, by the executables (see ETCUpstream), never by the libraries: a static
# copy beside the shared one would register every dialect twice.
function(etc_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  if(NOT name STREQUAL ETCPrecompiled)
    target_precompile_headers(${name} REUSE_FROM ETCPrecompiled)
    target_link_libraries(${name} PRIVATE ETCPrecompiled)
  endif()
endfunction()

# etc_dialect(Name namespace [ATTRIBUTES]): the tablegen outputs of dialects/<namespace>.
function(etc_dialect stem namespace)
  set(LLVM_TARGET_DEFINITIONS ${stem}Ops.td)
  mlir_tablegen(${stem}Dialect.h.inc -gen-dialect-decls -dialect=${namespace})
  mlir_tablegen(${stem}Dialect.cpp.inc -gen-dialect-defs -dialect=${namespace})
  mlir_tablegen(${stem}Ops.h.inc -gen-op-decls -dialect=${namespace})
  mlir_tablegen(${stem}Ops.cpp.inc -gen-op-defs -dialect=${namespace})
  mlir_tablegen(${stem}Types.h.inc -gen-typedef-decls -typedefs-dialect=${namespace})
  mlir_tablegen(${stem}Types.cpp.inc -gen-typedef-defs -typedefs-dialect=${namespace})
  if(ARGN STREQUAL "ATTRIBUTES")
    mlir_tablegen(${stem}Attrs.h.inc -gen-attrdef-decls -attrdefs-dialect=${namespace})
    mlir_tablegen(${stem}Attrs.cpp.inc -gen-attrdef-defs -attrdefs-dialect=${namespace})
  endif()
  # Enums have no dialect filter: take them from the file that includes no other dialect.
  set(LLVM_TARGET_DEFINITIONS ${stem}Attrs.td)
  mlir_tablegen(${stem}Enums.h.inc -gen-enum-decls)
  mlir_tablegen(${stem}Enums.cpp.inc -gen-enum-defs)
  add_public_tablegen_target(ETC${stem}IncGen)
endfunction()

# The whole of upstream, shared (development) or static (wheels).
add_library(ETCUpstream INTERFACE)
if(ETC_STATIC_MLIR)
  file(GLOB _mlir ${LLVM_LIBRARY_DIR}/libMLIR*.a)
  file(GLOB _llvm ${LLVM_LIBRARY_DIR}/libLLVM*.a)
  list(FILTER _mlir EXCLUDE REGEX "Test|CAPI")
  list(FILTER _llvm EXCLUDE REGEX "BOLT|Polly")
  find_library(ETC_ZSTD libzstd.a REQUIRED)
  find_library(ETC_ZLIB libz.a REQUIRED)
  target_link_libraries(ETCUpstream INTERFACE -Wl,--start-group ${_mlir} ${_llvm} -Wl,--end-group
                        ${ETC_ZSTD} ${ETC_ZLIB} -ldl -lpthread -lm)
  target_link_options(ETCUpstream INTERFACE -Wl,--gc-sections -Wl,--icf=all -Wl,-s
                      -Wl,--exclude-libs,ALL -static-libstdc++ -static-libgcc)
else()
  target_link_libraries(ETCUpstream INTERFACE MLIR LLVM)
endif()

# Headers that cost seconds each (NVVMDialect.h alone: 16 s), parsed once.
file(WRITE ${CMAKE_BINARY_DIR}/ETCPrecompiled.cpp "// Owner of the precompiled header.\n")
add_library(ETCPrecompiled STATIC ${CMAKE_BINARY_DIR}/ETCPrecompiled.cpp)
target_precompile_headers(ETCPrecompiled PRIVATE
  <mlir/IR/Builders.h> <mlir/IR/BuiltinTypes.h> <mlir/IR/OpDefinition.h>
  <mlir/IR/OpImplementation.h> <mlir/IR/PatternMatch.h> <mlir/IR/SymbolTable.h>
  <mlir/Dialect/Arith/IR/Arith.h> <mlir/Dialect/Func/IR/FuncOps.h>
  <mlir/Dialect/GPU/IR/GPUDialect.h> <mlir/Dialect/LLVMIR/LLVMDialect.h>
  <mlir/Dialect/LLVMIR/NVVMDialect.h> <mlir/Dialect/Linalg/IR/Linalg.h>
  <mlir/Dialect/Math/IR/Math.h> <mlir/Dialect/MemRef/IR/MemRef.h>
  <mlir/Dialect/SCF/IR/SCF.h> <mlir/Dialect/Tensor/IR/Tensor.h>
  <mlir/Dialect/Vector/IR/VectorOps.h> <mlir/Pass/Pass.h>
  <mlir/Transforms/DialectConversion.h>)
