// REQUIRES: etc-lsp-server
// RUN: etc-lsp-server -lit-test < %s | FileCheck %s

// The language server knows the dialects: a file of theirs has no diagnostics, a wrong one has ours.

{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"processId":1,"rootPath":"","capabilities":{},"trace":"off"}}
// CHECK: "definitionProvider": true
// -----
{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"test:///right.mlir","languageId":"mlir","version":1,"text":"func.func @f(%E: !event.tensor<4>, %i: index) {\n  event.notify %E[%i] : !event.tensor<4>\n  return\n}"}}}
// CHECK: "method": "textDocument/publishDiagnostics"
// CHECK-NEXT: "params": {
// CHECK-NEXT: "diagnostics": []
// -----
{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"test:///wrong.mlir","languageId":"mlir","version":1,"text":"func.func @f(%E: !event.tensor<4>) {\n  event.notify %E[] : !event.tensor<4>\n  return\n}"}}}
// CHECK: "message": "'event.notify' op E5: expects 1 indices
// -----
{"jsonrpc":"2.0","id":2,"method":"textDocument/hover","params":{"textDocument":{"uri":"test:///right.mlir"},"position":{"line":1,"character":4}}}
// CHECK: event.notify
// -----
{"jsonrpc":"2.0","id":3,"method":"shutdown"}
// -----
{"jsonrpc":"2.0","method":"exit"}
