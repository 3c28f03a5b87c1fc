/** Commands to copy. Pure. */

interface Address {
  host: string;
  port: string;
  user: string;
  tls: boolean;
}

function read(url: string): Address {
  const found = /^(mqtts?):\/\/(?:([^:@/]*)(?::[^@/]*)?@)?(\[[^\]]+\]|[^:/]+)(?::(\d+))?/.exec(url);
  const tls = found?.[1] === "mqtts";
  return { host: found?.[3] ?? "127.0.0.1", port: found?.[4] ?? (tls ? "8883" : "1883"), user: found?.[2] ?? "", tls };
}

/** For a shell: what is more than a word stands in quotes. */
function word(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A first reading by hand. The masked password of the service's own user is nobody's business, nor a device's. */
export function publishCommand(url: string, ward: string, device: string): string {
  const { host, port, user, tls } = read(url);
  const parts = ["mosquitto_pub", "-h", host, "-p", port, "-q", "1"];
  if (user) parts.push("-u", word(`${ward}/${device}`), "-P", "PASSWORD");
  if (tls) parts.push("--cafile", "ca.pem");
  return `${parts.join(" ")} -t ${word(`ward/v1/${ward}/${device}/vitals`)} -m '{"readings": {"hr": 82, "spo2": 97}}'`;
}

export function simulateCommand(url: string, beds: number): string {
  const { host, port, user, tls } = read(url);
  return `ward simulate --broker ${tls ? "mqtts" : "mqtt"}://${user ? "USER:PASSWORD@" : ""}${host}:${port} --beds ${beds}`;
}
