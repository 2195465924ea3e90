import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.PrintStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Utils;

/** Writes the topics of Fixtures/make-records.sh, and files with their records. Arguments: bootstrap, folder. */
public class MakeRecords {
    static final long TIME = 1_700_000_000_000L;
    static final HexFormat HEX = HexFormat.of();
    static String bootstrap;
    static Path folder;

    public static void main(String[] arguments) throws Exception {
        bootstrap = arguments[0];
        folder = Path.of(arguments[1]);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            for (String name : List.of("single", "many", "nulls", "headers", "gzip", "snappy", "lz4", "zstd", "large",
                    "idempotent", "transactions")) {
                create(admin, name, Map.of());
            }
            create(admin, "log-append-time", Map.of("message.timestamp.type", "LogAppendTime"));
            create(admin, "compacted", Map.of("cleanup.policy", "compact", "segment.ms", "500",
                "min.cleanable.dirty.ratio", "0.001"));
        }

        send("single", Map.of(), record("single", 0, bytes("key"), bytes("value")));

        List<ProducerRecord<byte[], byte[]>> many = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            String value = "{\"qls_unit_id\":" + (100_000 + i) + ",\"zone_id\":" + i % 60 + "}";
            many.add(record("many", i * 97L, bytes("unit_collection_point"), bytes(value)));
        }
        send("many", Map.of(), many);

        send("nulls", Map.of(),
            record("nulls", 0, null, bytes("no key")),
            record("nulls", 5, bytes("no value"), null),
            record("nulls", -5, new byte[0], new byte[0]),
            record("nulls", 5, null, null));

        send("headers", Map.of(),
            record("headers", 0, bytes("k"), bytes("v"), header("trace", bytes("0af7651916cd43dd"))),
            record("headers", 1, null, null, header("null", null), header("empty", new byte[0]),
                header("größe", new byte[] {0, (byte) 0xff}), header("trace", null), header("trace", bytes("2"))),
            record("headers", 2, bytes("none"), bytes("none")),
            record("headers", 3, null, bytes("long"), header("long", new byte[300])));

        List<ProducerRecord<byte[], byte[]>> compressed = new ArrayList<>();
        for (int i = 0; i < 120; i++) {
            compressed.add(record("gzip", i, bytes("unit_concern"), bytes("{\"concern_id\":" + i + "}"),
                header("number", new byte[] {(byte) i})));
        }
        send("gzip", Map.of("compression.type", "gzip"), compressed);

        for (String codec : List.of("snappy", "lz4", "zstd")) {
            send(codec, Map.of("compression.type", codec), shapes(codec));
            // A second batch, which no codec can compress.
            byte[] noise = new byte[3000];
            new Random(3).nextBytes(noise);
            send(codec, Map.of("compression.type", codec), record(codec, 5000, bytes("noise"), noise));
        }

        byte[] large = new byte[20_000];
        new Random(1).nextBytes(large);
        send("large", Map.of(), record("large", 0, bytes("k"), bytes("before")),
            record("large", 20_000_000, bytes("large"), large), record("large", 1, bytes("k"), bytes("after")));

        send("log-append-time", Map.of(), record("log-append-time", 0, bytes("a"), bytes("1")),
            record("log-append-time", 1000, bytes("b"), bytes("2")));
        send("log-append-time", Map.of("compression.type", "gzip"),
            record("log-append-time", 2000, bytes("c"), bytes("3")));

        try (KafkaProducer<byte[], byte[]> producer = producer(
                Map.of("enable.idempotence", "true", "acks", "all"))) {
            for (int batch = 0; batch < 3; batch++) {
                for (int i = 0; i < 4; i++) {
                    producer.send(record("idempotent", batch * 10 + i, null, bytes(batch + "." + i)));
                }
                producer.flush();
            }
        }

        try (KafkaProducer<byte[], byte[]> producer = producer(
                Map.of("transactional.id", "fixture", "enable.idempotence", "true", "acks", "all"))) {
            producer.initTransactions();
            for (String end : List.of("commit", "abort", "commit")) {
                producer.beginTransaction();
                for (int i = 0; i < 3; i++) producer.send(record("transactions", i, bytes(end), bytes("" + i)));
                producer.flush();
                if (end.equals("commit")) producer.commitTransaction(); else producer.abortTransaction();
            }
        }

        compact();

        for (String name : List.of("single", "many", "nulls", "headers", "gzip", "large", "log-append-time",
                "idempotent", "transactions", "compacted")) {
            dump(name, name);
        }
        dump("snappy", "codecs");
        for (String name : List.of("single", "many", "nulls", "headers", "gzip", "snappy", "lz4", "large",
                "log-append-time", "transactions", "compacted")) {
            convert(name, 0, "v0");
            convert(name, 2, "v1");
        }
        murmur2();
    }

    /** Records of every shape, in total more than 64 KiB, the codecs' block size. */
    static List<ProducerRecord<byte[], byte[]>> shapes(String topic) {
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        for (int i = 0; i < 160; i++) {
            byte[] key = i % 5 == 0 ? null : bytes("unit_concern");
            byte[] value = i % 7 == 0 ? null : bytes("{\"concern_id\":" + i + "}" + " ".repeat(i % 11 == 0 ? 5000 : 5));
            records.add(i % 3 == 0 ? record(topic, i, key, value)
                : record(topic, i, key, value, header("number", new byte[] {(byte) i}), header("null", null)));
        }
        return records;
    }

    /** Fetches a topic as an old client does, so that the broker converts it to an old message format. */
    static void convert(String topic, int version, String folderName) throws Exception {
        String[] address = bootstrap.split(",")[0].split(":");
        ByteArrayOutputStream messages = new ByteArrayOutputStream();
        byte[] records = {};
        int whole = 0;
        long offset = 0, end = 1;
        try (Socket socket = new Socket(address[0], Integer.parseInt(address[1]))) {
            // A response has a part of one segment, and its last message may be truncated.
            while (offset < end) {
                fetch(socket, topic, version, offset);
                DataInputStream in = new DataInputStream(socket.getInputStream());
                // Length, correlation id, throttle time, one topic, one partition.
                in.readInt();
                in.readInt();
                if (version > 0) in.readInt();
                in.readInt();
                in.readUTF();
                in.readInt();
                in.readInt();
                short error = in.readShort();
                if (error != 0) throw new IllegalStateException("fetching " + topic + " failed with error " + error);
                end = in.readLong();
                records = new byte[in.readInt()];
                in.readFully(records);
                ByteBuffer buffer = ByteBuffer.wrap(records);
                // Control batches and compacted records give no messages. A batch is returned from its beginning even
                // if the fetch begins within it.
                long next = offset + 1;
                for (whole = 0; whole + 12 <= records.length;) {
                    int size = 12 + buffer.getInt(whole + 8);
                    if (whole + size > records.length) break;
                    if (buffer.getLong(whole) >= offset) {
                        messages.write(records, whole, size);
                        next = buffer.getLong(whole) + 1;
                    }
                    whole += size;
                }
                offset = next;
            }
        }
        messages.write(records, whole, records.length - whole);
        Files.write(folder.resolve(folderName).resolve(topic + ".log"), messages.toByteArray());
    }

    static void fetch(Socket socket, String topic, int version, long offset) throws Exception {
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(request);
        // The header: Fetch, correlation id, no client id.
        out.writeShort(1);
        out.writeShort(version);
        out.writeInt(7);
        out.writeShort(-1);
        // Replica, maximum wait, minimum bytes; one topic with one partition, up to 1 MiB.
        out.writeInt(-1);
        out.writeInt(500);
        out.writeInt(1);
        out.writeInt(1);
        out.writeUTF(topic);
        out.writeInt(1);
        out.writeInt(0);
        out.writeLong(offset);
        out.writeInt(1 << 20);
        DataOutputStream frame = new DataOutputStream(socket.getOutputStream());
        frame.writeInt(request.size());
        request.writeTo(frame);
        frame.flush();
    }

    /** Batches of which compaction keeps some records, only the last offset, or nothing. */
    static void compact() throws Exception {
        String[][] batches = {{"a", "b", "a", "c"}, {"a", "a"}, {"b", "x"}, {"c", "d", "d"}};
        for (String[] keys : batches) {
            List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
            for (String key : keys) records.add(record("compacted", 0, bytes(key), bytes("value of " + key)));
            // The broker keeps an idempotent producer's last batch even if it is empty, for its sequence number.
            send("compacted", Map.of("enable.idempotence", "true", "acks", "all"), records);
        }
        // The active segment isn't compacted. A record that is later by segment.ms starts a new one.
        send("compacted", Map.of(), record("compacted", 1000, bytes("a"), bytes("the last a")),
            record("compacted", 1001, bytes("d"), null));
        send("compacted", Map.of(), record("compacted", 2000, bytes("end"), bytes("end")));
        long deadline = System.nanoTime() + Duration.ofSeconds(90).toNanos();
        while (read("compacted", "read_uncommitted").size() > 6) {
            if (System.nanoTime() > deadline) throw new IllegalStateException("the broker has not compacted the topic");
            Thread.sleep(200);
        }
    }

    static void create(Admin admin, String name, Map<String, String> settings) throws Exception {
        admin.createTopics(List.of(new NewTopic(name, 1, (short) 1).configs(settings))).all().get();
    }

    static byte[] bytes(String string) {
        return string.getBytes(StandardCharsets.UTF_8);
    }

    static Header header(String name, byte[] value) {
        return new RecordHeader(name, value);
    }

    static ProducerRecord<byte[], byte[]> record(String topic, long time, byte[] key, byte[] value, Header... headers) {
        return new ProducerRecord<>(topic, 0, TIME + time, key, value, List.of(headers));
    }

    static KafkaProducer<byte[], byte[]> producer(Map<String, String> settings) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        // Lingers so long that all records sent before a flush are in one batch.
        properties.put("linger.ms", "10000");
        properties.put("batch.size", "100000");
        properties.put("enable.idempotence", "false");
        properties.putAll(settings);
        return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    }

    @SafeVarargs
    static void send(String topic, Map<String, String> settings, ProducerRecord<byte[], byte[]>... records)
            throws Exception {
        send(topic, settings, List.of(records));
    }

    static void send(String topic, Map<String, String> settings, List<ProducerRecord<byte[], byte[]>> records)
            throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = producer(settings)) {
            producer.partitionsFor(topic);
            var sent = new ArrayList<java.util.concurrent.Future<?>>();
            for (var record : records) sent.add(producer.send(record));
            producer.flush();
            for (var future : sent) future.get();
        }
    }

    static List<ConsumerRecord<byte[], byte[]>> read(String topic, String isolation) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("isolation.level", isolation);
        try (var consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
            while (consumer.position(partition) < end) consumer.poll(Duration.ofMillis(200)).forEach(records::add);
            return records;
        }
    }

    static String json(byte[] bytes) {
        return bytes == null ? "null" : "\"" + HEX.formatHex(bytes) + "\"";
    }

    /** Writes a topic's records as JSON. All bytes are hexadecimal, including header names. */
    static void dump(String topic, String name) throws Exception {
        try (PrintStream out = new PrintStream(folder.resolve(name + ".json").toFile(), StandardCharsets.UTF_8)) {
            List<String> lines = new ArrayList<>();
            for (var record : read(topic, "read_uncommitted")) {
                List<String> headers = new ArrayList<>();
                for (Header header : record.headers()) {
                    headers.add("{\"name\": " + json(bytes(header.key())) + ", \"value\": " + json(header.value()) + "}");
                }
                lines.add("    {\"offset\": " + record.offset() + ", \"timestamp\": " + record.timestamp()
                    + ", \"key\": " + json(record.key()) + ", \"value\": " + json(record.value())
                    + ", \"headers\": [" + String.join(", ", headers) + "]}");
            }
            List<String> committed = new ArrayList<>();
            for (var record : read(topic, "read_committed")) committed.add("" + record.offset());
            out.print("{\n  \"records\": [\n" + String.join(",\n", lines) + "\n  ],\n  \"committed\": ["
                + String.join(", ", committed) + "]\n}\n");
        }
    }

    static void murmur2() throws Exception {
        Random random = new Random(2);
        List<byte[]> keys = new ArrayList<>();
        for (String key : List.of("unit_collection_point", "unit_concern", "größe")) keys.add(bytes(key));
        for (int length = 0; length < 40; length++) {
            byte[] key = new byte[length];
            random.nextBytes(key);
            keys.add(key);
        }
        List<String> lines = new ArrayList<>();
        for (byte[] key : keys) {
            int hash = Utils.murmur2(key);
            List<String> partitions = new ArrayList<>();
            for (int count : new int[] {1, 2, 3, 6, 10, 97}) {
                partitions.add("{\"count\": " + count + ", \"partition\": " + Utils.toPositive(hash) % count + "}");
            }
            lines.add("  {\"key\": " + json(key) + ", \"hash\": " + hash + ", \"partitions\": ["
                + String.join(", ", partitions) + "]}");
        }
        try (PrintStream out = new PrintStream(folder.resolve("murmur2.json").toFile(), StandardCharsets.UTF_8)) {
            out.print("[\n" + String.join(",\n", lines) + "\n]\n");
        }
    }
}
