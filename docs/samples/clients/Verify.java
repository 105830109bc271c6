import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.CertificateFactory;
import java.security.spec.X509EncodedKeySpec;
import java.time.*;
import java.util.*;
import java.util.regex.*;
import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * Verify confirmations with the JDK alone, 17 or newer:
 *   java Verify.java online URL FILE
 *   java Verify.java licence URL NUMBER EXPORTER DESTINATION VIN...
 *   java Verify.java offline BUNDLE ROOT FILE        (the root's public key in PEM)
 *
 * Prints the outcome, what led to it, and TEST where nothing has effect. Exit: 0 pass, 1 fail, 2 review, 3 none.
 * Offline, a file is known by its SHA-256; its seal is not looked at, `signer verify --offline` does that. What is
 * read by patterns there is canonical JSON (RFC 8785): there is one way to write it.
 */
class Verify {
    public static void main(String[] given) throws Exception {
        String told = switch (given.length < 3 ? "" : given[0]) {
            case "online" -> online(ask(given[1] + "/api/v1/verify", "application/pdf", read(given[2])));
            case "licence" -> licence(given);
            case "offline" -> offline(read(given[1]), given[2], read(given[3]));
            default -> throw new IllegalArgumentException("online, licence or offline");
        };
        System.out.println(told);
        System.exit(Map.of("pass", 0, "fail", 1, "review", 2, "none", 3).getOrDefault(told.split(" ")[0], 1));
    }

    static String licence(String[] given) throws Exception {
        String asked = "{\"numbers\":[\"%s\"],\"exporter\":\"%s\",\"destination\":\"%s\",\"vins\":[\"%s\"]}"
                .formatted(given[2], given[3], given[4], String.join("\",\"", List.of(given).subList(5, given.length)));
        String told = ask(given[1] + "/api/v1/licence-checks", "application/json", asked.getBytes(UTF_8));
        return told(told, value(told, "outcome"), value(told, "matched") + " of " + value(told, "asked"));
    }

    static String ask(String url, String kind, byte[] body) throws Exception {
        var question = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(60))
                .header("Content-Type", kind).POST(HttpRequest.BodyPublishers.ofByteArray(body)).build();
        var answer = HttpClient.newHttpClient().send(question, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200) throw new IllegalStateException(answer.statusCode() + " " + answer.body());
        return answer.body();
    }

    static String told(String json, String outcome, String why) {
        return outcome + " " + why + (value(json, "test").equals("true") ? " TEST" : "");
    }

    /** Return the first value of a field that holds a text, a whole number or a truth; nothing if there is none. */
    static String value(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\": *\"?([^\",}]*)").matcher(json);
        return found.find() ? found.group(1) : "";
    }

    static String offline(byte[] bundle, String root, byte[] file) throws Exception {
        String[] lines = new String(bundle, UTF_8).split("\n");
        String header = lines[0], heard = value(header, "complete_until");
        byte[] spki = Base64.getMimeDecoder().decode(Files.readString(Path.of(root)).split("-----")[2]);
        PublicKey pinned = KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(spki));
        String trust = believed(lines[2].split("\\."), pinned, "signer-trust+jwt");
        PublicKey signer = signer(trust, value(text(lines[1].split("\\.")[0]), "kid"), heard);
        String payload = Base64.getUrlEncoder().withoutPadding().encodeToString(header.getBytes(UTF_8));
        believed(lines[1].replace("..", "." + payload + ".").split("\\."), signer, "signer-bundle+jws");
        int start = (lines[0] + lines[1]).getBytes(UTF_8).length + 2;
        byte[] rest = Arrays.copyOfRange(bundle, start, bundle.length);
        if (rest.length != Integer.parseInt(value(header, "size")) || !sha256(rest).equals(value(header, "sha256")))
            throw new GeneralSecurityException("the bundle is not whole");
        String digest = sha256(file), today = LocalDate.now(ZoneId.of("Asia/Shanghai")).toString();
        boolean isOld = Instant.parse(heard).isBefore(Instant.now().minus(Duration.ofHours(24)));
        Pattern mine = Pattern.compile("\"file_digests\":\\[[^\\]]*\"" + digest + "\"");
        for (String line : Arrays.asList(lines).subList(3, lines.length)) {
            if (!mine.matcher(line).find()) continue;
            String stands = line.contains("\"lines\":") ? "mixed" : value(line, "standing");
            String until = value(line, "until");
            String best = isOld || (!until.isEmpty() && today.compareTo(until) > 0) ? "review" : "pass";
            String outcome = Map.of("issued", best, "withdrawn", "fail").getOrDefault(stands, "review");
            return told(header, outcome, stands + " " + value(line, "number"));
        }
        return told(header, "none", "no such file is on record");
    }

    /** Return the payload of a token, after its kind, its key and its signature were found right. */
    static String believed(String[] jws, PublicKey key, String kind) throws Exception {
        String right = "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"%s\"}".formatted(kid(key), kind);
        Signature judge = Signature.getInstance("SHA256withECDSAinP1363Format");
        judge.initVerify(key);
        judge.update((jws[0] + "." + jws[1]).getBytes(UTF_8));
        if (!text(jws[0]).equals(right) || !judge.verify(Base64.getUrlDecoder().decode(jws[2])))
            throw new GeneralSecurityException("no " + kind + " of its key");
        return text(jws[1]);
    }

    /** Return the key of the trust list that signs bundles, has this name, and was entitled at this instant. */
    static PublicKey signer(String trust, String kid, String at) throws Exception {
        Matcher entries = Pattern.compile("\\{[^{}]*\"purpose\":\"bundle\"[^{}]*\\}").matcher(trust);
        while (entries.find()) {
            String entry = entries.group();
            var der = new ByteArrayInputStream(Base64.getDecoder().decode(value(entry, "certificate")));
            PublicKey key = CertificateFactory.getInstance("X.509").generateCertificate(der).getPublicKey();
            if (value(entry, "state").equals("active") && value(entry, "from_at").compareTo(at) <= 0
                    && at.compareTo(value(entry, "until_at")) < 0 && kid(key).equals(kid)) return key;
        }
        throw new GeneralSecurityException("the bundle's key is not entitled by the trust list");
    }

    static String online(String json) { return told(json, value(json, "outcome"), value(json, "code")); }
    static byte[] read(String path) throws Exception { return Files.readAllBytes(Path.of(path)); }
    static String text(String base64) { return new String(Base64.getUrlDecoder().decode(base64), UTF_8); }
    static String kid(PublicKey key) throws Exception { return sha256(key.getEncoded()).substring(0, 16); }

    static String sha256(byte[] data) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(data));
    }
}
