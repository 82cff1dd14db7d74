import { describe, expect, it } from '@jest/globals';
import { streams } from '../../../src/gateway/messages.ts';
import { quickenBytes } from '../../../src/log/kurrentdb/quick-bytes.ts';

describe('what the client hands to its messages', () => {
  it('goes out the same, whether it came as text or as bytes, and is decoded once', () => {
    quickenBytes();
    quickenBytes();
    const bytes = Buffer.from('{"text":"Grüße"}');
    for (const { ProposedMessage } of [streams.BatchAppendReq, streams.AppendReq]) {
      const [asText, asBytes] = [new ProposedMessage(), new ProposedMessage()];
      asText.setData(bytes.toString('base64'));
      asText.setCustomMetadata(bytes.toString('base64'));
      asBytes.setData(bytes);
      asBytes.setCustomMetadata(bytes);
      expect(asText.serializeBinary()).toEqual(asBytes.serializeBinary());
      expect(typeof asText.getData()).toBe('object');
      expect(Buffer.from(asText.getCustomMetadata_asU8()).equals(bytes)).toBe(true);
    }
  });
});
