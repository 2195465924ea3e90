/// The paths of a plan as a tree in unmanaged memory, built once; each field of a message is looked up in it.
@safe struct PathTree: ~Copyable {
    /// An object or array that paths lead into. Its entries are consecutive, fields before elements.
    struct Node: BitwiseCopyable {
        var firstField: Int32 = 0
        var fieldCount: Int32 = 0
        var firstElement: Int32 = 0
        var elementCount: Int32 = 0
        /// The hash table of the field names: its first index, and its size minus one; -1 if there are no fields.
        var table: Int32 = 0
        var tableMask: Int32 = 0
    }

    /// A field or an element on a path.
    struct Entry: BitwiseCopyable {
        /// The offset of a field's name in `names`.
        var name = 0
        var nameLength = 0
        /// The name with its closing quote: the first eight bytes, and the last eight if there are that many.
        var firstWord: UInt64 = 0
        var tailWord: UInt64 = 0
        /// The bits of `firstWord` to compare.
        var mask: UInt64 = 0
        /// Whether the name can occur in a message without escapes.
        var isLiteral = false
        /// The index of an element.
        var element = 0
        /// The node for the paths with further steps; -1 if there are none.
        var child: Int32 = -1
        /// The slot of the path that ends here; -1 if none does.
        var slot: Int32 = -1
        /// The slots of all paths through this entry.
        var firstSlot: Int32 = 0
        var slotCount: Int32 = 0
    }

    let nodes: UnsafeMutablePointer<Node>
    let entries: UnsafeMutablePointer<Entry>
    private let table: UnsafeMutablePointer<Int32>
    private let names: UnsafeMutablePointer<UInt8>
    /// The slot of each path, in the order of ``init(_:)``.
    let slots: [Int]
    let slotCount: Int
    let entryCount: Int
    /// The slot of the path `$`; -1 if there is none.
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

    /// Whether no path is a prefix of another one.
    var pathsEndAtLeaves: Bool {
        for index in 0..<entryCount {
            let entry = unsafe entries[index]
            if entry.slot >= 0, entry.child >= 0 { return false }
        }
        return true
    }

    /// Whether the text has a field's name and closing quote at this offset.
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

    /// The entry of a field whose name has escapes in the message; -1 if no path has it.
    @inline(never)
    func field(escaped text: ByteView, of node: Int) -> Int {
        unsafe withUnsafeTemporaryAllocation(byteCount: text.count + 16, alignment: 8) { buffer in
            guard let target = buffer.baseAddress else { return -1 }
            let count = unsafe JSONText.unescape(text, to: target)
            return field(unsafe ByteView(UnsafeRawPointer(target), count), of: node)
        }
    }

    @inline(__always)
    func hasElements(_ node: Int) -> Bool { unsafe nodes[node].elementCount > 0 }

    @inline(__always)
    func hasFields(_ node: Int) -> Bool { unsafe nodes[node].fieldCount > 0 }

    /// Whether paths lead into a value that begins with this byte.
    func leadsInto(_ node: Int, _ first: UInt8) -> Bool {
        first == UInt8(ascii: "{") && hasFields(node) || first == UInt8(ascii: "[") && hasElements(node)
    }

    @inline(__always)
    func nameLength(_ entry: Int) -> Int { unsafe entries[entry].nameLength }

    @inline(__always)
    static func firstWord(_ name: ByteView) -> UInt64 {
        name.count >= 8 ? name.word(0) : name.word(padded: 0)
    }

    @inline(__always)
    static func hash(_ word: UInt64, _ length: Int) -> UInt64 {
        ((word ^ UInt64(truncatingIfNeeded: length)) &* 0x9e37_79b9_7f4a_7c15) >> 40
    }
}
