"""Writes the ONNX files of the tests, field by field after onnx.proto."""
import os
import struct


def v(n):
    o=b''
    n&=(1<<64)-1
    while True:
        b=n&127; n>>=7
        if n: o+=bytes([b|128])
        else: return o+bytes([b])
def num(f,n): return v(f<<3)+v(n)
def by(f,b):
    if isinstance(b,str): b=b.encode()
    return v(f<<3|2)+v(len(b))+b
def tensor(name,kind,dims,raw=None,extra=b''):
    t=b''.join(num(1,d) for d in dims)+num(2,kind)+by(8,name)
    if raw is not None: t+=by(9,raw)
    return by(5,t+extra)
def node(op,name,ins,outs,attrs={}):
    n=b''.join(by(1,i) for i in ins)+b''.join(by(2,o) for o in outs)+by(3,name)+by(4,op)
    for k,a in attrs.items(): n+=by(5,by(1,k)+num(3,a)+num(20,2))
    return by(1,n)
def model(g,more=b''): return num(1,8)+by(2,'test')+by(7,g)+more
F=lambda *x: struct.pack('<%df'%len(x),*x)
def ext(**k): return b''.join(by(13,by(1,a)+by(2,str(b))) for a,b in k.items())+num(14,1)

os.chdir(os.path.dirname(os.path.abspath(__file__)))
W = F(1, 2, 3, 4, 5, 6)
plain = model(
    node("MatMul", "/encoder/layer.0/query/MatMul", ["x", "onnx::MatMul_7"], ["y"])
    + node("MatMul", "node_1", ["y", "val_3"], ["z"])
    + node("Add", "a", ["z", "head.bias"], ["o"])
    + tensor("onnx::MatMul_7", 1, [2, 3], W)
    + tensor("val_3", 1, [3, 2], W)
    + tensor("head.bias", 1, [2], F(1, 2))
    + tensor("norm.weight", 1, [3], None, by(4, F(1, 2, 3)))
    + tensor("varints", 6, [3], None, by(5, v(7) + v(8) + v(300)))
    + tensor("val_9", 7, [2], bytes(16))
)
quantised = model(
    node("DequantizeLinear", "d", ["a.weight_quantized", "a_s", "a_z"], ["a.weight_dq"], {"axis": 0})
    + node("Cast", "c", ["b.weight_q"], ["bc"], {"to": 1})
    + node("Mul", "m", ["bc", "b.weight_scale"], ["b.weight"])
    + node("MatMulInteger", "/layer/query/MatMul_quant", ["x", "onnx::MatMul_1_quantized", "xz", "onnx::MatMul_1_zero_point"], ["y"])
    + tensor("a.weight_quantized", 2, [2, 2], bytes([0, 255, 128, 129]))
    + tensor("a_s", 1, [2], F(0.5, 2))
    + tensor("a_z", 2, [2], bytes([128, 127]))
    + tensor("b.weight_q", 3, [2, 2], bytes([1, 255, 2, 254]))
    + tensor("b.weight_scale", 1, [2, 1], F(0.5, 2))
    + tensor("onnx::MatMul_1_quantized", 3, [2, 3], bytes([1, 2, 3, 4, 5, 6]))
    + tensor("onnx::MatMul_1_scale", 1, [3], F(1, 2, 3))
    + tensor("onnx::MatMul_1_zero_point", 3, [3], bytes([0, 1, 2]))
)
external = model(tensor("a.weight", 1, [2], None, ext(location="model.onnx.data", offset=8, length=8)))
for name, data in [
    ("plain.onnx", plain),
    ("quantised.onnx", quantised),
    ("external/model.onnx", external),
    ("external/model.onnx.data", F(0, 0, 1, 2)),
]:
    with open(name, "wb") as file:
        file.write(data)
