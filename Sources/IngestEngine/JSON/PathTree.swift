/// The paths of a plan as a tree in plain memory, made once: each field of a message is looked up in it.
@safe struct PathTree: ~Copyable {
    /// An object or an array that paths lead into. Its entries are consecutive, fields before elements.
    struct Node: BitwiseCopyable {
        var firstField: Int32 = 0
        var fieldCount: Int32 = 0
        var firstElement: Int32 = 0
        var elementCount: Int32 = 0
        /// The hash table of the fields' names: its first place, and the number of places less one.
        var table: Int32 = 0
        var tableMask: Int32 = 0
    }

    /// A field or an element on a path.
    struct Entry: BitwiseCopyable {
        /// A field's name, in `names`.
        var name = 0
        var nameLength = 0
        /// The name and its closing quote: the first eight bytes, and the last eight of a text that has so many.
        var firstWord: UInt64 = 0
        var tailWord: UInt64 = 0
        /// The bits of `firstWord` that count.
        var mask: UInt64 = 0
        /// Whether a message can have the name in this very form, without escapes.
        var isLiteral = false
        /// The index of an element.
        var element = 0
        /// The node of paths that go on from here, or -1.
        var child: Int32 = -1
        /// The slot of the path that ends here, or -1.
        var slot: Int32 = -1
        /// The slots of all paths through this entry.
        var firstSlot: Int32 = 0
        var slotCount: Int32 = 0
    }

    let nodes: UnsafeMutablePointer<Node>
    let entries: UnsafeMutablePointer<Entry>
    private let table: UnsafeMutablePointer<Int32>
    private let names: UnsafeMutablePointer<UInt8>
    /// The slot of each path that the tree was made from, in their order.
    let slots: [Int]
    let slotCount: Int
    let entryCount: Int
    /// The slot of the path `$`, or -1.
    let rootSlot: Int

    init(_ paths: [JSONPath]) {
        var builder = PathTreeBuilder(paths)
        builder.flatten()
        slots = builder.slotOfPath
        slotCount = builder.slotCount
        entryCount = builder.entries.count
        rootSlot = builder.rootSlot
        unsafe nodes = Self.copy(builder.nodes)
        unsafe entries = Self.copy(builder.entries)
        unsafe table = Self.copy(builder.table)
        unsafe names = Self.copy(builder.names)
    }

    private static func copy<T: BitwiseCopyable>(_ array: [T]) -> UnsafeMutablePointer<T> {
        let memory = UnsafeMutablePointer<T>.allocate(capacity: max(array.count, 1))
        for (index, element) in array.enumerated() { unsafe (memory + index).initialize(to: element) }
        return unsafe memory
    }

    deinit {
        unsafe nodes.deallocate()
        unsafe entries.deallocate()
        unsafe table.deallocate()
        unsafe names.deallocate()
    }

    /// Whether no path ends where others go on.
    var pathsEndAtLeaves: Bool {
        for index in 0..<entryCount {
            let entry = unsafe entries[index]
            if entry.slot >= 0, entry.child >= 0 { return false }
        }
        return true
    }

    /// Whether a field's name and the quote behind it stand at an offset.
    @inline(__always)
    func matches(_ index: Int, _ text: ByteView, at offset: Int) -> Bool {
        let length = unsafe entries[index].nameLength &+ 1
        guard unsafe text.word(padded: offset) & entries[index].mask == entries[index].firstWord,
            unsafe entries[index].isLiteral
        else { return false }
        guard length > 8 else { return true }
        guard offset &+ length <= text.count,
            unsafe text.word(offset &+ length &- 8) == entries[index].tailWord
        else { return false }
        return length <= 16 || middle(of: index, isIn: text, at: offset)
    }

    private func middle(of index: Int, isIn text: ByteView, at offset: Int) -> Bool {
        text.slice(offset, unsafe entries[index].nameLength).equals(name(of: index))
    }

    private func name(of index: Int) -> ByteView {
        unsafe ByteView(UnsafeRawPointer(names + entries[index].name), entries[index].nameLength)
    }

    /// The entry of a field by its name; -1 if no path has it.
    @inline(__always)
    func field(_ name: ByteView, of node: Int) -> Int {
        let mask = Int(unsafe nodes[node].tableMask)
        guard mask >= 0 else { return -1 }
        let word = Self.firstWord(name)
        var place = Int(truncatingIfNeeded: Self.hash(word, name.count)) & mask
        while true {
            let index = Int(unsafe table[Int(nodes[node].table) &+ place])
            guard index >= 0 else { return -1 }
            if unsafe entries[index].nameLength == name.count, self.name(of: index).equals(name) { return index }
            place = (place &+ 1) & mask
        }
    }

    @inline(__always)
    static func firstWord(_ name: ByteView) -> UInt64 {
        name.count >= 8 ? name.word(0) : name.word(padded: 0)
    }

    @inline(__always)
    static func hash(_ word: UInt64, _ length: Int) -> UInt64 {
        ((word ^ UInt64(truncatingIfNeeded: length)) &* 0x9e37_79b9_7f4a_7c15) >> 40
    }
}

/// Collects what a ``PathTree`` holds.
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
                    if let next = branch.fields.first(where: { $0.name == name }) {
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

    /// Numbers the slots so that those below a branch are consecutive.
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

    /// Up to eight bytes, the first one in the lowest bits.
    private static func word(_ bytes: some Collection<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
