// RUN: etc-opt %s | etc-opt | FileCheck %s
// RUN: etc-opt %s --mlir-print-op-generic | etc-opt | FileCheck %s

// CHECK-LABEL: task.graph @create
task.graph @create symbols [#task.symbol<"n", 1 to 8>] {
  // CHECK: event.create "partial" shape #{{.*}} count #{{.*}} reuse(banked) : !event.tensor<?>
  %banked = event.create "partial" shape affine_map<()[n] -> (n)>
    count affine_map<()[n] -> (n * 4)> reuse(banked) : !event.tensor<?>
  // CHECK: event.create "fixed" {{.*}} reuse(monotonic) : !event.tensor<2x3>
  %fixed = event.create "fixed" shape affine_map<()[n] -> (2, 3)>
    count affine_map<()[n] -> (4)> reuse(monotonic) : !event.tensor<2x3>
  // CHECK: event.create "one" {{.*}} : !event.tensor<>
  %one = event.create "one" shape affine_map<()[n] -> ()>
    count affine_map<()[n] -> (1)> reuse(monotonic) : !event.tensor<>
  // CHECK: event.create "values" {{.*}} : !event.tensor<8, data>
  %values = event.create "values" shape affine_map<()[n] -> (8)>
    count affine_map<()[n] -> (1)> reuse(monotonic) : !event.tensor<8, data>
}

// CHECK-LABEL: func.func @notify
func.func @notify(%E: !event.tensor<?x8>, %one: !event.tensor<>, %i: index, %peer: index) {
  // CHECK: event.notify %{{.*}}[%{{.*}}, %{{.*}}] : !event.tensor<?x8>
  event.notify %E[%i, %i] : !event.tensor<?x8>
  // CHECK: event.notify %{{.*}}[] scope(cta) : !event.tensor<>
  event.notify %one[] scope(cta) : !event.tensor<>
  // CHECK: event.notify %{{.*}} device(%{{.*}}) scope(sys) by 2 : !event.tensor<?x8>
  event.notify %E[%i, %i] device(%peer) scope(sys) by 2 : !event.tensor<?x8>
  return
}

// CHECK-LABEL: func.func @wait
func.func @wait(%E: !event.tensor<?>, %i: index, %count: i32, %x: memref<4xf32>) -> i1 {
  // CHECK: event.wait %{{.*}}[%{{.*}}] count(%{{.*}}) : !event.tensor<?>
  %ok = event.wait %E[%i] count(%count) : !event.tensor<?>
  // CHECK: event.wait {{.*}} guards(%{{.*}}, %{{.*}} : memref<4xf32>, memref<4xf32>) scope(sys)
  %ok2 = event.wait %E[%i] count(%count) guards(%x, %x : memref<4xf32>, memref<4xf32>)
    scope(sys) : !event.tensor<?>
  return %ok2 : i1
}

// CHECK-LABEL: func.func @publish_receive
func.func @publish_receive(%V: !event.tensor<8, data>, %i: index, %x: i32) -> (i32, i1) {
  // CHECK: event.publish %{{.*}}, %{{.*}}[%{{.*}}] : !event.tensor<8, data>
  event.publish %x, %V[%i] : !event.tensor<8, data>
  // CHECK: %{{.*}}, %{{.*}} = event.receive %{{.*}}[%{{.*}}] : !event.tensor<8, data>
  %value, %ok = event.receive %V[%i] : !event.tensor<8, data>
  return %value, %ok : i32, i1
}

// CHECK-LABEL: func.func @one_value(%{{.*}}: !event.tensor<data>, 
func.func @one_value(%V: !event.tensor<data>, %x: i32) {
  // CHECK: event.publish %{{.*}}, %{{.*}}[] : !event.tensor<data>
  event.publish %x, %V[] : !event.tensor<data>
  return
}

// CHECK-LABEL: func.func @clear
func.func @clear(%E: !event.tensor<?>) {
  // CHECK: event.clear %{{.*}} : !event.tensor<?>
  event.clear %E : !event.tensor<?>
  return
}
