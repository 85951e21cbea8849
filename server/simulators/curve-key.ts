const Z85_ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';
const KEY = /^[0-9a-zA-Z.\-:+=^!/*?&<>()[\]{}@%$#]{40}$/;

/** Whether a value is a CURVE key in Z85 (ZeroMQ RFC 32): 32 bytes as 40 characters. */
export function isCurveKey(value: unknown): value is string {
  return typeof value === 'string' && KEY.test(value);
}

/** The bytes of a Z85 text: five characters of base 85 are four bytes, big-endian. */
export function decodeZ85(text: string): Buffer {
  const bytes = Buffer.alloc((text.length * 4) / 5);
  for (let group = 0; group * 5 < text.length; group++) {
    let value = 0;
    for (const character of text.slice(group * 5, group * 5 + 5)) value = value * 85 + Z85_ALPHABET.indexOf(character);
    bytes.writeUInt32BE(value >>> 0, group * 4);
  }
  return bytes;
}
