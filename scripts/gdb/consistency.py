# SPDX-License-Identifier: MIT
"""Shows shapes, tensors, variables, duals and parameters in gdb as people write them:

    (gdb) source scripts/gdb/consistency.py
    (gdb) print x
    $1 = Tensor<float, consistency::Cpu> (2, 3) = {(0, 0) = 0.5, (0, 1) = -1, ...}

Numbers in a device's memory are not read. docs/debugging.md
"""

import gdb
import gdb.printing

MOST = 200  # numbers of a tensor that are read; `set print elements` may show fewer


def template_name(kind):
    return "^consistency::" + kind + "<.*>$"


def extents(shape):
    return [int(shape["extents_"]["_M_elems"][axis]) for axis in range(int(shape["rank_"]))]


def shape_text(shape):
    return "(" + ", ".join(str(extent) for extent in extents(shape)) + ")"


def entries_of(table):
    first, end = (table["entries_"]["_M_impl"][name] for name in ("_M_start", "_M_finish"))
    return [(first + i).dereference() for i in range(int(end - first))]


def name_of(entry):
    return entry["name"]["_M_dataplus"]["_M_p"].string()


class Shape:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return shape_text(self.value)


class Tensor:
    def __init__(self, value):
        self.value = value

    def scalar(self):
        return self.value.type.template_argument(0)

    def backend(self):
        return self.value.type.template_argument(1).name

    def to_string(self):
        name = "Tensor<%s, %s> %s" % (self.scalar(), self.backend(), shape_text(self.value["shape_"]))
        if not self.value["block_"]:
            return name + " undefined"
        return name if self.on_host() else name + " on a device"

    def on_host(self):
        return not self.backend().endswith("Cuda")

    def children(self):
        if not self.value["block_"] or not self.on_host():
            return
        shape = extents(self.value["shape_"])
        count = 1
        for extent in shape:
            count *= extent
        for i in range(min(count, MOST)):
            yield self.place(shape, i), self.value["data_"][i]

    @staticmethod
    def place(shape, i):
        """What x(...) reads number i with."""
        indices = []
        for extent in reversed(shape):
            indices.insert(0, str(i % extent))
            i //= extent
        return "(" + ", ".join(indices) + ")"


class Variable:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        node = int(self.value["node_"])
        return "Variable, constant" if node < 0 else "Variable, node %d of its tape" % node

    def children(self):
        yield "value", self.value["value_"]


class Dual:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return "Dual"

    def children(self):
        yield "primal", self.value["primal"]
        yield "tangent", self.value["tangent"]


class ParameterTable:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return "ParameterTable of %d numbers" % int(self.value["count_"])

    def children(self):
        for entry in entries_of(self.value):
            yield name_of(entry), entry["shape"]


class Parameters:
    """Each parameter under its name."""

    def __init__(self, value):
        self.value = value

    def table(self):
        return self.value["table_"]["_M_ptr"].dereference()

    def to_string(self):
        return "Parameters of %d numbers" % int(self.table()["count_"])

    def children(self):
        first = self.value["views_"]["_M_impl"]["_M_start"]
        for i, entry in enumerate(entries_of(self.table())):
            yield name_of(entry), (first + i).dereference()


printers = gdb.printing.RegexpCollectionPrettyPrinter("consistency")
printers.add_printer("Shape", "^consistency::Shape$", Shape)
printers.add_printer("Tensor", template_name("Tensor"), Tensor)
printers.add_printer("Variable", template_name("Variable"), Variable)
printers.add_printer("Dual", template_name("Dual"), Dual)
printers.add_printer("ParameterTable", "^consistency::ParameterTable$", ParameterTable)
printers.add_printer("Parameters", "^consistency::Parameters<consistency::Tensor<.*> *>$", Parameters)
gdb.printing.register_pretty_printer(None, printers, replace=True)
