// Run the network: products in integers, everything between them in float32.

const FINE_LIMIT = 2 ** 19 - 1;

// Base 85 as in Python's base64 module, without "<", which could end the script block.
const DIGITS =
  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~";

function decode85(text) {
  const values = new Uint8Array(128);
  for (let i = 0; i < 85; i++) values[DIGITS.charCodeAt(i)] = i;
  const words = new DataView(new ArrayBuffer((text.length / 5) * 4));
  for (let i = 0; i < text.length; i += 5) {
    let word = 0;
    for (let j = i; j < i + 5; j++) word = word * 85 + values[text.charCodeAt(j)];
    words.setUint32((i / 5) * 4, word);
  }
  return words.buffer;
}

// Reads html.py's blocks of numbers in order.
class Reader {
  constructor(buffer) {
    this.buffer = buffer;
    this.place = 0;
  }

  bytes(count) {
    this.place += count;
    return this.buffer.slice(this.place - count, this.place);
  }

  floats(count) {
    return new Float32Array(this.bytes(4 * count));
  }

  // Read rows of int8, and the scale of each row.
  int8(rows, columns) {
    const integers = new Int8Array(this.bytes(rows * columns));
    return { rows, columns, integers, scales: this.floats(rows) };
  }

  // Read rows of 20-bit integers, two in five bytes, and the scale of each row.
  fine(rows, columns) {
    const pairs = Math.ceil((rows * columns) / 2);
    const packed = new Uint8Array(this.bytes(5 * pairs));
    const integers = new Float64Array(2 * pairs);
    for (let i = 0, j = 0; i < integers.length; i += 2, j += 5) {
      const middle = packed[j + 2];
      integers[i] = (packed[j] | (packed[j + 1] << 8) | ((middle & 15) << 16)) - FINE_LIMIT;
      integers[i + 1] = ((middle >> 4) | (packed[j + 3] << 4) | (packed[j + 4] << 12)) - FINE_LIMIT;
    }
    return { rows, columns, integers, scales: this.floats(rows) };
  }
}

// Two rows share one float64, the second 2^26 times as large, so one multiplication serves both.
// Over 2048 columns each sum stays below 2^25, so both are exact and can be separated.
const SHIFT = 2 ** 26;
const COLUMNS = 2048;
const ROWS = 8;

class Product {
  constructor({ rows, columns, integers, scales }, bias = null) {
    this.columns = columns;
    this.scales = scales;
    this.bias = bias;
    this.out = new Float32Array(rows);
    this.integers = new Float64Array(columns);
    this.sums = new Float64Array(Math.ceil(rows / ROWS) * ROWS);
    this.packed = new Float64Array((this.sums.length / 2) * columns);
    const at = (row, column) => (row < rows ? integers[row * columns + column] : 0);
    let k = 0;
    for (let row = 0; row < rows; row += ROWS) {
      for (let column = 0; column < columns; column++) {
        for (let r = row; r < row + ROWS; r += 2) {
          this.packed[k++] = at(r, column) + at(r + 1, column) * SHIFT;
        }
      }
    }
  }

  // Multiply a float32 vector by the matrix, and add the bias.
  of(x) {
    return this.ofIntegers(toIntegers(x, this.integers, 127));
  }

  // Multiply the vector `this.integers` * scale.
  ofIntegers(scale) {
    this.sums.fill(0);
    for (let from = 0; from < this.columns; from += COLUMNS) {
      this.addUp(from, Math.min(from + COLUMNS, this.columns));
    }
    const { out, sums, scales, bias } = this;
    for (let r = 0; r < out.length; r++) out[r] = f32(sums[r]) * f32(scales[r] * scale);
    if (bias) for (let r = 0; r < out.length; r++) out[r] += bias[r];
    return out;
  }

  addUp(from, to) {
    const { packed, integers, sums, columns } = this;
    for (let row = 0; row < sums.length; row += ROWS) {
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      let k = (row / 2) * columns + 4 * from;
      for (let i = from; i < to; i++) {
        const x = integers[i];
        s0 += packed[k] * x;
        s1 += packed[k + 1] * x;
        s2 += packed[k + 2] * x;
        s3 += packed[k + 3] * x;
        k += 4;
      }
      this.separate(row, s0);
      this.separate(row + 2, s1);
      this.separate(row + 4, s2);
      this.separate(row + 6, s3);
    }
  }

  separate(row, both) {
    const second = rint(both / SHIFT);
    this.sums[row] += both - second * SHIFT;
    this.sums[row + 1] += second;
  }
}

// The input side of the first layer's gates for each token, by the kind of input.

class OneHotInput {
  constructor(reader, { rows, vocab }) {
    this.vocab = vocab;
    this.weights = reader.floats(rows * vocab);
    this.bias = reader.floats(rows);
  }

  row(token) {
    return this.bias.map((bias, r) => this.weights[r * this.vocab + token] + bias);
  }
}

class ScalarInput {
  constructor(reader, { rows, vocab }) {
    this.vocab = vocab;
    this.weights = reader.floats(rows);
    this.bias = reader.floats(rows);
  }

  row(token) {
    const number = f32(token / this.vocab);
    return this.bias.map((bias, r) => f32(number * this.weights[r]) + bias);
  }
}

class EmbeddingInput {
  constructor(reader, { rows, vocab, network }) {
    this.embedding = reader.fine(vocab, network.embedding_size);
    this.weights = reader.fine(rows, network.embedding_size);
    this.bias = reader.floats(rows);
  }

  row(token) {
    const { embedding, weights } = this;
    const size = embedding.columns;
    return this.bias.map((bias, r) => {
      let sum = 0;
      for (let i = 0; i < size; i++) {
        sum += embedding.integers[token * size + i] * weights.integers[r * size + i];
      }
      return f32(sum * (embedding.scales[token] * weights.scales[r])) + bias;
    });
  }
}

// An embedding too large to fold.
class UnfoldedInput {
  constructor(reader, { rows, vocab, network }) {
    const size = network.embedding_size;
    this.embedding = reader.int8(vocab, size);
    this.product = new Product(reader.int8(rows, size), reader.floats(rows));
  }

  row(token) {
    const { integers, scales, columns } = this.embedding;
    this.product.integers.set(integers.subarray(token * columns, (token + 1) * columns));
    return this.product.ofIntegers(scales[token]).slice();
  }
}

const INPUTS = {
  "one-hot": OneHotInput,
  scalar: ScalarInput,
  embedding: EmbeddingInput,
  unfolded: UnfoldedInput,
};

// One step of each kind of cell. a: input side, b: recurrent side. Updates the states in place.
const CELLS = {
  lstm(a, b, { hidden, cell }) {
    const size = hidden.length;
    for (let j = 0; j < size; j++) {
      const input = sigmoid(f32(a[j] + b[j]));
      const forget = sigmoid(f32(a[size + j] + b[size + j]));
      const candidate = tanh(f32(a[2 * size + j] + b[2 * size + j]));
      const output = sigmoid(f32(a[3 * size + j] + b[3 * size + j]));
      cell[j] = f32(forget * cell[j]) + f32(input * candidate);
      hidden[j] = output * tanh(cell[j]);
    }
  },

  gru(a, b, { hidden }) {
    const size = hidden.length;
    for (let j = 0; j < size; j++) {
      const reset = sigmoid(f32(a[j] + b[j]));
      const update = sigmoid(f32(a[size + j] + b[size + j]));
      const candidate = tanh(f32(a[2 * size + j] + f32(reset * b[2 * size + j])));
      hidden[j] = candidate + f32(update * f32(hidden[j] - candidate));
    }
  },

  rnn(a, b, { hidden }) {
    for (let j = 0; j < hidden.length; j++) hidden[j] = tanh(f32(a[j] + b[j]));
  },
};

class Model {
  // cell: its number of gates, and the names of its states, the output first.
  constructor({ network, cell, vocab, input }, weights) {
    const reader = new Reader(decode85(weights));
    const size = network.hidden_size;
    const rows = cell.gates * size;
    this.step = CELLS[network.cell];
    this.output = cell.states[0];
    this.residual = network.residual;
    this.input = new INPUTS[input](reader, { rows, vocab, network });
    this.rows = new Map();
    this.layers = Array.from({ length: network.num_layers }, (_, layer) => ({
      fromBelow: layer ? new Product(reader.int8(rows, size), reader.floats(rows)) : null,
      fromState: new Product(reader.int8(rows, size)),
      states: Object.fromEntries(cell.states.map((name) => [name, new Float32Array(size)])),
      output: new Float32Array(size),
    }));
    this.head = new Product(reader.int8(vocab, size), reader.floats(vocab));
  }

  reset() {
    for (const { states } of this.layers) for (const state of Object.values(states)) state.fill(0);
  }

  read(token) {
    let below = null;
    for (const { fromBelow, fromState, states, output } of this.layers) {
      const fromInput = below ? fromBelow.of(below) : this.row(token);
      const out = states[this.output];
      this.step(fromInput, fromState.of(out), states);
      for (let j = 0; j < output.length; j++) {
        output[j] = this.residual && below ? out[j] + below[j] : out[j];
      }
      below = output;
    }
  }

  // Return the logits of the next token.
  logits() {
    return this.head.of(this.layers.at(-1).output);
  }

  // Compute a token's row when it is first read, and keep it.
  row(token) {
    if (!this.rows.has(token)) this.rows.set(token, this.input.row(token));
    return this.rows.get(token);
  }
}
