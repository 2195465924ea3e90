/// Builds the contents of a ``PathTree``.
struct PathTreeBuilder {
    private final class Branch {
        var fields: [(name: String, branch: Branch)] = []
        var elements: [(index: Int, branch: Branch)] = []
        var slot = -1
        var isLeaf: Bool { fields.isEmpty && elements.isEmpty }
    }

    private let root = Branch()
    private(set) var slotCount = 0
    private(set) var slotOfPath: [Int] = []
    private(set) var nodes: [PathTree.Node] = []
    private(set) var entries: [PathTree.Entry] = []
    private(set) var table: [Int32] = []
    private(set) var names: [UInt8] = []
    var rootSlot: Int { root.slot }

    init(_ paths: [JSONPath]) {
        var ends: [Branch] = []
        for path in paths {
            var branch = root
            for step in path.steps {
                switch step {
                case .field(let name):
                    if let next = branch.fields.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) {
                        branch = next.branch
                    } else {
                        let next = Branch()
                        branch.fields.append((name, next))
                        branch = next
                    }
                case .element(let index):
                    if let next = branch.elements.first(where: { $0.index == index }) {
                        branch = next.branch
                    } else {
                        let next = Branch()
                        branch.elements.append((index, next))
                        branch = next
                    }
                }
            }
            if branch.slot < 0 { branch.slot = 0 }
            ends.append(branch)
        }
        number(root)
        slotOfPath = ends.map(\.slot)
    }

    /// Numbers the slots so that those of a branch are consecutive.
    private mutating func number(_ branch: Branch) {
        if branch.slot >= 0 {
            branch.slot = slotCount
            slotCount += 1
        }
        branch.elements.sort { $0.index < $1.index }
        for (_, next) in branch.fields { number(next) }
        for (_, next) in branch.elements { number(next) }
    }

    mutating func flatten() { _ = flatten(root) }

    /// - Returns: The index of the branch's node.
    private mutating func flatten(_ branch: Branch) -> Int {
        let index = nodes.count
        nodes.append(PathTree.Node())
        var node = PathTree.Node()
        node.firstField = Int32(entries.count)
        node.fieldCount = Int32(branch.fields.count)
        node.firstElement = node.firstField + node.fieldCount
        node.elementCount = Int32(branch.elements.count)
        for (name, next) in branch.fields {
            var entry = entry(next)
            let bytes = Array(name.utf8)
            entry.name = names.count
            entry.nameLength = bytes.count
            names += bytes
            let literal = bytes + [UInt8(ascii: "\"")]
            entry.firstWord = Self.word(literal.prefix(8))
            entry.tailWord = Self.word(literal.suffix(8))
            entry.mask = literal.count >= 8 ? .max : (1 << UInt64(8 * literal.count)) - 1
            entry.isLiteral = bytes.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
            entries.append(entry)
        }
        for (element, next) in branch.elements {
            var entry = entry(next)
            entry.element = element
            entries.append(entry)
        }
        addTable(&node, branch.fields.map(\.name))
        let children = branch.fields.map(\.branch) + branch.elements.map(\.branch)
        for (offset, next) in children.enumerated() where !next.isLeaf {
            let child = flatten(next)
            entries[Int(node.firstField) + offset].child = Int32(child)
        }
        nodes[index] = node
        return index
    }

    private func entry(_ branch: Branch) -> PathTree.Entry {
        var entry = PathTree.Entry()
        entry.slot = Int32(branch.slot)
        let slots = Self.slots(below: branch)
        entry.firstSlot = Int32(slots.min() ?? 0)
        entry.slotCount = Int32(slots.count)
        return entry
    }

    private static func slots(below branch: Branch) -> [Int] {
        (branch.slot >= 0 ? [branch.slot] : []) + branch.fields.flatMap { slots(below: $0.branch) }
            + branch.elements.flatMap { slots(below: $0.branch) }
    }

    private mutating func addTable(_ node: inout PathTree.Node, _ fields: [String]) {
        var size = 4
        while size < fields.count * 2 { size *= 2 }
        node.table = Int32(table.count)
        node.tableMask = fields.isEmpty ? -1 : Int32(size - 1)
        guard !fields.isEmpty else { return }
        var places = [Int32](repeating: -1, count: size)
        for (offset, name) in fields.enumerated() {
            let bytes = Array(name.utf8)
            var place = Int(PathTree.hash(Self.word(bytes.prefix(8)), bytes.count)) & (size - 1)
            while places[place] >= 0 { place = (place + 1) & (size - 1) }
            places[place] = node.firstField + Int32(offset)
        }
        table += places
    }

    /// Up to eight bytes as a word, the first in the lowest bits.
    private static func word(_ bytes: some Collection<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
