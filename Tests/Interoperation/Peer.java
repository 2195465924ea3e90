import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.io.*;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.*;

/**
 * Kafka's own client, controlled by lines of JSON on standard input. It answers each with a line of JSON. peer.py
 * does the same with librdkafka:
 *
 * {"do": "produce", "topic", "settings", "records", "end": "commit" | "abort" | null}: writes the records, in one
 * transaction where "end" says how that ends. Answer {}.
 * {"do": "consume", "topic", "settings"}: reads all partitions from the beginning to the end that they have at the
 * start. Answer {"records"}.
 * {"do": "join", "topic", "group", "settings"}: a member of a group from now on, which commits what it has read after
 * each poll. Answer {"member"}, a number.
 * {"do": "look", "member"}: {"assigned": [partition…], "read": [[partition, offset]…]}, all that it has read so far.
 * {"do": "leave", "member"}: the member leaves the group; the same answer, for the last time.
 *
 * A record is {"partition", "offset", "timestamp", "key", "value", "headers": [[name, value]…]}, bytes in hexadecimal; what
 * is null may be left out.
 * What fails gets the answer {"error"}.
 */
public class Peer {
    static final ObjectMapper JSON = new ObjectMapper();
    static final Duration POLL = Duration.ofMillis(100);
    static String bootstrap;
    static final List<Member> members = new ArrayList<>();

    public static void main(String[] arguments) throws Exception {
        bootstrap = arguments[0];
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        PrintStream output = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            ObjectNode answer = JSON.createObjectNode();
            try {
                carryOut(JSON.readTree(line), answer);
            } catch (Exception error) {
                answer.removeAll().put("error", error.toString());
            }
            output.println(JSON.writeValueAsString(answer));
        }
        System.exit(0);
    }

    static void carryOut(JsonNode order, ObjectNode answer) throws Exception {
        switch (order.get("do").asText()) {
            case "produce": produce(order); break;
            case "consume": consume(order, answer.putArray("records")); break;
            case "join":
                members.add(new Member(order));
                answer.put("member", members.size() - 1);
                break;
            case "look": members.get(order.get("member").asInt()).tell(answer); break;
            case "leave": members.get(order.get("member").asInt()).leave(answer); break;
            default: throw new IllegalArgumentException("no such order");
        }
    }

    static Map<String, Object> settings(JsonNode order, Map<String, Object> defaults) {
        Map<String, Object> settings = new HashMap<>(defaults);
        settings.put("bootstrap.servers", bootstrap);
        order.path("settings").fields().forEachRemaining(field -> settings.put(field.getKey(), field.getValue().asText()));
        return settings;
    }

    static byte[] bytes(JsonNode node) {
        return node == null || node.isNull() ? null : HexFormat.of().parseHex(node.asText());
    }

    static void produce(JsonNode order) throws Exception {
        boolean isTransaction = !order.path("end").isNull() && order.has("end");
        try (Producer<byte[], byte[]> producer = new KafkaProducer<>(settings(order, Map.of(
                "key.serializer", ByteArraySerializer.class, "value.serializer", ByteArraySerializer.class)))) {
            if (isTransaction) {
                producer.initTransactions();
                producer.beginTransaction();
            }
            List<Future<?>> sent = new ArrayList<>();
            for (JsonNode node : order.get("records")) {
                List<Header> headers = new ArrayList<>();
                node.get("headers").forEach(
                    header -> headers.add(new RecordHeader(header.get(0).asText(), bytes(header.get(1)))));
                sent.add(producer.send(new ProducerRecord<>(
                    order.get("topic").asText(), node.get("partition").asInt(), node.get("timestamp").asLong(),
                    bytes(node.get("key")), bytes(node.get("value")), headers)));
            }
            producer.flush();
            for (Future<?> future : sent) future.get();
            if (isTransaction && order.get("end").asText().equals("commit")) producer.commitTransaction();
            else if (isTransaction) producer.abortTransaction();
        }
    }

    static Consumer<byte[], byte[]> consumer(JsonNode order) {
        return new KafkaConsumer<>(settings(order, Map.of(
            "key.deserializer", ByteArrayDeserializer.class, "value.deserializer", ByteArrayDeserializer.class,
            "auto.offset.reset", "earliest", "enable.auto.commit", "false")));
    }

    static void consume(JsonNode order, ArrayNode records) {
        try (Consumer<byte[], byte[]> consumer = consumer(order)) {
            List<TopicPartition> partitions = consumer.partitionsFor(order.get("topic").asText()).stream()
                .map(info -> new TopicPartition(info.topic(), info.partition())).collect(Collectors.toList());
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition)))
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) write(record, records.addObject());
        }
    }

    static void write(ConsumerRecord<byte[], byte[]> record, ObjectNode node) {
        HexFormat hex = HexFormat.of();
        node.put("partition", record.partition()).put("offset", record.offset()).put("timestamp", record.timestamp());
        node.put("key", record.key() == null ? null : hex.formatHex(record.key()));
        node.put("value", record.value() == null ? null : hex.formatHex(record.value()));
        ArrayNode headers = node.putArray("headers");
        for (Header header : record.headers())
            headers.addArray().add(header.key()).add(header.value() == null ? null : hex.formatHex(header.value()));
    }

    /** A member of a group, on a thread of its own. */
    static class Member {
        private final Thread thread;
        private volatile boolean isLeaving = false;
        private volatile Set<Integer> assigned = Set.of();
        private volatile Exception failure;
        private final List<long[]> read = Collections.synchronizedList(new ArrayList<>());

        Member(JsonNode order) {
            thread = new Thread(() -> run(order));
            thread.start();
        }

        private void run(JsonNode order) {
            ObjectNode named = order.deepCopy();
            ((ObjectNode) named.withObject("/settings")).put("group.id", order.get("group").asText());
            try (Consumer<byte[], byte[]> consumer = consumer(named)) {
                consumer.subscribe(List.of(order.get("topic").asText()), new ConsumerRebalanceListener() {
                    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                        consumer.commitSync();
                    }

                    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}
                });
                while (!isLeaving) {
                    ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
                    assigned = consumer.assignment().stream().map(TopicPartition::partition).collect(Collectors.toSet());
                    for (ConsumerRecord<byte[], byte[]> record : records)
                        read.add(new long[] {record.partition(), record.offset()});
                    try {
                        if (!records.isEmpty()) consumer.commitSync();
                    } catch (RebalanceInProgressException underWay) {
                        // The rebalance commits the revoked partitions; the others are committed with the next records.
                    }
                }
            } catch (Exception error) {
                failure = error;
            }
            assigned = Set.of();
        }

        void tell(ObjectNode answer) throws Exception {
            if (failure != null) throw failure;
            ArrayNode partitions = answer.putArray("assigned");
            assigned.forEach(partitions::add);
            ArrayNode list = answer.putArray("read");
            synchronized (read) {
                for (long[] place : read) list.addArray().add(place[0]).add(place[1]);
            }
        }

        void leave(ObjectNode answer) throws Exception {
            isLeaving = true;
            thread.join();
            tell(answer);
        }
    }
}
